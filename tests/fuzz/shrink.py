"""Shortens a round that found something, so that a person can read it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from tests.fuzz.finding import Finding
from tests.fuzz.rounds import Round, Step
from tests.fuzz.runner import run_round
from tests.fuzz.servers import Servers


def shrink(round_: Round, steps: Sequence[Step], kind: str, servers: Servers) -> Round:
    """Return the round with as few of these steps as still find the same."""
    left = list(steps)
    length = max(len(left) // 2, 1)
    while True:
        start = 0
        while start < len(left):
            fewer = left[:start] + left[start + length :]
            if _finds(replace(round_, steps=tuple(fewer)), kind, servers):
                left = fewer
            else:
                start += length
        if length == 1:
            return replace(round_, steps=tuple(left))
        length = max(length // 2, 1)


def _finds(round_: Round, kind: str, servers: Servers) -> bool:
    try:
        run_round(round_, servers, Counter(), [])
    except Finding as found:
        return found.kind == kind
    return False
