"""How a verdict is told: its tone, a headline, and sentences."""

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """How a verdict looks."""

    GOOD = "good"
    NOTE = "note"  # done, and nothing was written, or no rows
    CARE = "care"  # something is left to do, or not known
    BAD = "bad"


class Told(NamedTuple):
    """A verdict in words."""

    tone: Tone
    headline: str
    sentences: tuple[str, ...] = ()
