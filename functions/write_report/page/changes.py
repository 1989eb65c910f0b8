"""What changed: the tables by the rows that were written, and those that were equal."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from common.reports.sync import SyncResult, TableResult
from write_report.page.charts import bar

MOST = 1000  # tables that the page names; all are in db-sync.json
BARS = 300  # of the tables with the most rows: the page must stay small


@dataclass(frozen=True, slots=True)
class Line:
    """A table that changed, with a bar of the rows that were inserted, updated and deleted."""

    table: TableResult
    written: int
    bar: Markup


@dataclass(frozen=True, slots=True)
class Changes:
    """The tables that changed, those with the most rows first, and the others by name.

    `more_changed` and `more_same`: how many the page does not name.
    """

    changed: tuple[Line, ...]
    more_changed: int
    same: tuple[TableResult, ...]
    more_same: int
    inserted: int
    updated: int
    deleted: int
    unlinked: int
    sequences: tuple[str, ...]

    @property
    def written(self) -> int:
        """How many rows were written."""
        return self.inserted + self.updated + self.deleted

    @property
    def tables_changed(self) -> int:
        """How many tables changed."""
        return len(self.changed) + self.more_changed

    @property
    def tables_same(self) -> int:
        """How many tables were equal already."""
        return len(self.same) + self.more_same


def changes(sync: SyncResult) -> Changes:
    """Return what a sync changed, or in a dry run would change."""
    changed = [table for table in sync.tables if table.action != "none"]
    changed.sort(key=lambda table: (-written(table), table.table))
    same = sorted(
        (table for table in sync.tables if table.action == "none"), key=lambda table: table.table
    )
    most = max(map(written, changed), default=1)
    named = changed[:MOST]
    room = MOST - len(named)
    return Changes(
        changed=tuple(
            Line(table, written(table), _bar(table, most) if number < BARS else Markup(""))
            for number, table in enumerate(named)
        ),
        more_changed=len(changed) - len(named),
        same=tuple(same[:room]),
        more_same=max(len(same) - room, 0),
        inserted=sum(table.rows_inserted for table in changed),
        updated=sum(table.rows_updated for table in changed),
        deleted=sum(table.rows_deleted for table in changed),
        unlinked=sum(table.rows_unlinked for table in changed),
        sequences=sync.sequences[:MOST],
    )


def _bar(table: TableResult, most: int) -> Markup:
    """Return a bar on a logarithmic scale: one table may have a million times another's rows."""
    whole = written(table)
    length = math.log10(whole + 1)
    return bar([length * part / max(whole, 1) for part in kinds(table)], math.log10(most + 1))


def kinds(table: TableResult) -> tuple[int, int, int]:
    """Return how many rows were inserted, updated and deleted."""
    return table.rows_inserted, table.rows_updated, table.rows_deleted


def written(table: TableResult) -> int:
    """Return how many rows were written."""
    return sum(kinds(table))
