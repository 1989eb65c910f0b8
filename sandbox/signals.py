"""Ctrl-C and SIGTERM end a sandbox once, in good order, and never between two halves of a step."""

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
    """Raise KeyboardInterrupt at the first signal that asks us to end; ignore those after it.

    Otherwise a second Ctrl-C would interrupt the cleaning up that the first one began.
    """
    before = {number: signal.signal(number, _on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold such a signal back until the with statement ends.

    For a step that must not be torn apart: a process is started and its name not yet noted.
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
