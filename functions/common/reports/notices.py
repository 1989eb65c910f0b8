"""What a person should know of a run: a sentence, what it is about, and what mends it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

RUN_THERE = "Run there: "  # what comes before the statements in a sentence


class Topic(StrEnum):
    """What a notice is about; the most important first."""

    PERSONAL_DATA = "personal data"  # real personal data may be in staging
    LOGINS = "logins"  # somebody may not find what is theirs, or may find what is another's
    REFUSED = "refused"  # a run that writes will be refused
    ROWS = "rows"  # rows or derived data of staging are not as a person may expect
    SCHEMA = "schema"  # the schemas differ


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning: `text` is complete by itself, and has no personal data.

    `mend` is the line of settings, or the SQL statement, that mends it; empty if none does.
    """

    text: str
    topic: Topic = Topic.ROWS
    mend: str = ""

    def __str__(self) -> str:
        """Return the sentence."""
        return self.text

    @classmethod
    def advising(cls, text: str, topic: Topic) -> Self:
        """Return a notice whose sentence ends with the statements that mend it, if it has any.

        A name in the sentence may contain anything: if it is not certain where the statements
        begin, nobody is invited to run what stands there.
        """
        is_certain = text.count(RUN_THERE) == 1
        return cls(text, topic, text.partition(RUN_THERE)[2] if is_certain else "")

    @classmethod
    def parse(cls, found: Mapping[str, str]) -> Self:
        """Return the notice in a JSON object with its fields."""
        return cls(found["text"], Topic(found["topic"]), found["mend"])


def by_importance(notices: Iterable[Notice]) -> list[Notice]:
    """Return notices, each once, in the order of their topics."""
    order = list(Topic)
    return sorted(dict.fromkeys(notices), key=lambda notice: order.index(notice.topic))


def as_json(notices: Iterable[Notice]) -> list[dict[str, Any]]:
    """Return notices as JSON objects, which `Notice.parse` reads."""
    return [asdict(notice) for notice in notices]
