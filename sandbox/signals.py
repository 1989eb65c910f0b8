"""Ctrl-C and SIGTERM end a sandbox once, cleanly, and never in the middle of a step."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _State:
    asked: bool = False  # to end
    raised: bool = False
    held: int = 0


_state = _State()


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal to end, and ignore those that follow.

    Otherwise a second Ctrl-C would interrupt the clean-up that the first one started.
    """
    before = {number: signal.signal(number, _on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Delay such a signal until the with statement ends.

    For a step that must not be interrupted: between starting a process and registering it.
    """
    _state.held += 1
    try:
        yield
    finally:
        _state.held -= 1
        _raise_once()


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    _state.asked = True
    _raise_once()


def _raise_once() -> None:
    if _state.asked and not _state.raised and not _state.held:
        _state.raised = True
        raise KeyboardInterrupt
