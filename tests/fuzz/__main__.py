"""`make fuzz`: syncs random schemas, rows and differences, and checks the result independently.

Each round has its own seed, counted from --seed: `--rounds 1 --seed N` repeats a round.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from itertools import count

from rich.console import Console
from rich.live import Live

from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order
from tests.fuzz.finding import Finding
from tests.fuzz.report import Progress, save
from tests.fuzz.rounds import Round, Step, make_round
from tests.fuzz.runner import run_round
from tests.fuzz.servers import SYSTEM, Servers
from tests.fuzz.shrink import shrink


def main() -> int:
    """Run rounds and print their results.

    Returns:
        0 when nothing was found, 1 when something was found or the run did not complete.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--rounds", type=int, help="how many; default: as many as --minutes allows")
    parser.add_argument("--minutes", type=float, default=5.0, help="no round starts after that")
    parser.add_argument("--seed", type=int, help="of the first round; default: random")
    parser.add_argument("--no-shrink", action="store_true", help="save complete rounds at once")
    parser.add_argument("--in-parts", action="store_true", help="sync in parts where possible")
    call = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if call.seed is None else call.seed
    console = Console(stderr=True, highlight=False)
    console.print(f"The first round's seed is {seed}.")
    progress = Progress()
    try:
        with (
            ending_in_order(),
            Servers.at_hand() as servers,
            Live(console=console, get_renderable=progress.as_table, refresh_per_second=2),
        ):
            for each in _seeds(seed, call.rounds, call.minutes, progress):
                round_ = make_round(each, servers.kinds, has_icu=SYSTEM, is_in_parts=call.in_parts)
                _run(round_, servers, progress, console, is_shrunk=not call.no_shrink)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left behind.")
        return 1
    except (SandboxError, OSError) as error:
        console.print(error, markup=False, soft_wrap=True)
        return 1
    return 1 if progress.findings else 0


def _seeds(first: int, rounds: int | None, minutes: float, progress: Progress) -> Iterator[int]:
    """Yield the rounds' seeds."""
    for seed in count(first):
        if rounds is not None and seed - first >= rounds:
            return
        if rounds is None and progress.seconds > minutes * 60:
            return
        yield seed


def _run(
    round_: Round, servers: Servers, progress: Progress, console: Console, *, is_shrunk: bool
) -> None:
    """Run one round, and save it if it finds something."""
    done: list[Step] = []
    try:
        run_round(round_, servers, progress.counts, done)
    except Finding as finding:
        progress.findings += 1
        console.print(f"Seed {round_.seed}: {finding}", markup=False, soft_wrap=True)
        console.print(f"Its statements are in {save(round_, finding)}.", soft_wrap=True)
        if is_shrunk:
            save(shrink(round_, done, finding.kind, servers), finding)
            console.print("They are reduced to those that still find it.")
    progress.rounds += 1


if __name__ == "__main__":
    sys.exit(main())
