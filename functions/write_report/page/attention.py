"""What needs attention: the notices of all steps, the most important first."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.reports.failure import Failure
from common.reports.notices import Notice, Topic, by_importance
from write_report.model import Report
from write_report.verdict import Verdict

MOST = 100
LABELS = {
    Topic.PERSONAL_DATA: "Personal data",
    Topic.LOGINS: "Logins",
    Topic.REFUSED: "Next run refused",
    Topic.ROWS: "Rows",
    Topic.SCHEMA: "Schema",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A notice as the page shows it; `kind` is its class."""

    label: str
    kind: str
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """What needs attention; `schema` is how many notices stand in the section on the schemas."""

    items: tuple[Item, ...]
    more: int
    schema: int

    @property
    def count(self) -> int:
        """How many there are, differences of the schemas too."""
        return len(self.items) + self.more + self.schema


def attention(report: Report, verdict: Verdict) -> Attention:
    """Return what needs attention."""
    found = notices(report)
    schema = sum(notice.topic is Topic.SCHEMA for notice in found)
    others = [notice for notice in found if notice.topic is not Topic.SCHEMA]
    doubts = [Item("Report", "report", text) for text in verdict.contradictions]
    items = (*doubts, *map(item, others[:MOST]))
    return Attention(items, max(len(others) - MOST, 0), schema)


def item(notice: Notice) -> Item:
    """Return a notice as the page shows it."""
    return Item(
        LABELS[notice.topic], notice.topic.name.lower().replace("_", "-"), notice.text, notice.mend
    )


def notices(report: Report) -> list[Notice]:
    """Return the notices of all steps once, in the order of their topics."""
    found: Iterable[Notice] = (
        notice
        for result in (report.sync, report.remap)
        if result is not None and not isinstance(result, Failure)
        for notice in result.notices
    )
    return by_importance(found)
