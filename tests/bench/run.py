"""What the benchmarks do around their measurements."""

from collections.abc import Callable, Sequence

from rich.console import Console, RenderableType

from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order

type Measure = Callable[[Console], Sequence[RenderableType]]


def run(measure: Measure, *, width: int) -> int:
    """Run a benchmark and print what it returns.

    Args:
        measure: measures; logs its progress to the console that it is given.
        width: of the output in characters, if it is not a terminal.

    Returns:
        The exit code: 0 when it ran to its end, even if targets were missed; 1 when it did not.
    """
    log = Console(stderr=True, highlight=False)
    try:
        with ending_in_order():
            results = measure(log)
    except KeyboardInterrupt:
        log.print("Stopped; nothing is left behind.")
        return 1
    except (SandboxError, RuntimeError, OSError) as error:
        log.print(error, markup=False, soft_wrap=True)
        return 1
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = width
    for result in results:
        console.print(result)
    return 0
