"""Rows that will lack their parent, counted before anything is written where that is possible.

The temporary tables of a merge hold what will be written, so that only changes are examined: rows
that are written, and rows that stay and refer to a parent that is deleted. Where the result is not
known in advance (a table that is replaced, a key on columns that staging itself fills or that lose
kept values), all rows are examined after the writing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.orphans import ALL, count_lacking, has_parent, lacks_parent
from db_sync.compare.outcomes import Merge, Replace
from db_sync.statements import names, statement
from db_sync.write.staging import Staging, changed_rows, differs, gone_of

type Stagings = dict[int, Staging]  # of merges, by the tables' oids


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be written, by the tables' oids.

    Of the tables whose rows are replaced, `staged` has those whose new rows are in a temporary
    table; those of the others come later. `is_dry`: nothing is written, and so no kept value is
    removed from its row.
    """

    merges: Stagings
    replacements: dict[int, Replace]
    staged: dict[int, sql.Composable] = field(default_factory=dict)
    is_dry: bool = False

    @property
    def comes_later(self) -> set[int]:
        """The oids of the tables whose new rows are not yet known."""
        return self.replacements.keys() - self.staged.keys()

    @property
    def tables(self) -> dict[int, Merge | Replace]:
        """All tables, by their oids."""
        merges = {oid: staging.merge for oid, staging in self.merges.items()}
        return {**merges, **self.replacements}

    def knows(self, root: int, columns: Collection[str]) -> bool:
        """Return whether the new values of some columns are in the changes, or in the stage."""
        plan = self.tables[root].plan
        unknown = {*columns}.difference(column.name for column in plan.compared)
        if not unknown.issubset(column.name for column in plan.kept):
            return False
        return not unknown or self.is_dry or self._keeps(root)

    def _keeps(self, root: int) -> bool:
        """Return whether no row of a table loses a kept value, since another row brings it."""
        return root in self.merges and not self.merges[root].loses_kept_values


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the writing would do to one foreign key.

    `is_touched`: a row that stays refers to a parent that is deleted, even if another parent with
    the same value is inserted. `loses_parents`: some parent is deleted. `orphans`: how many rows
    will lack their parent; None where that is only known after the writing.
    """

    key: ForeignKey
    is_touched: bool
    loses_parents: bool
    orphans: int | None


@dataclass(frozen=True, slots=True)
class _Side:
    """The rows of one side of a key, as FROM items with the key's columns; None: there are none.

    `now` are the present rows; `stay` are those that keep their values of these columns, and
    `leave` the others. `come` are rows that are new or get other values, with the new values. For a
    child, `stay` has only rows that refer to a parent that leaves.
    """

    now: sql.Composable
    stay: sql.Composable
    leave: sql.Composable | None = None
    come: sql.Composable | None = None


def foresee(target: Session, key: ForeignKey, writing: Writing) -> Prospect:
    """Return what the writing would do to a foreign key."""
    if not _is_foreseeable(key, writing):
        return Prospect(key, is_touched=True, loses_parents=True, orphans=None)
    parent = _side(key.parent_rows, key.parent_columns, key.parent_root, writing)
    referring = ALL if parent.leave is None else has_parent(key, parent.leave)
    child = _side(key.child_rows, key.columns, key.child_root, writing, referring)
    return _foreseen(target, key, child, parent)


def _foreseen(target: Session, key: ForeignKey, child: _Side, parent: _Side) -> Prospect:
    """Return the prospect of a key both of whose sides are known in advance."""
    loses_parents = parent.leave is not None and _is_any(target, parent.leave, [])
    referring = [] if parent.leave is None else [has_parent(key, parent.leave)]
    is_touched = loses_parents and _is_any(target, child.stay, [])
    no_new = [] if parent.come is None else [lacks_parent(key, parent.come)]
    counts: list[int] = []
    if child.come is not None:
        counts.append(
            count_lacking(target, key, child.come, lacks_parent(key, parent.now), *no_new)
        )
        if loses_parents:
            counts.append(count_lacking(target, key, child.come, *referring, *no_new))
    if is_touched:
        counts.append(count_lacking(target, key, child.stay, ALL, *no_new))
    return Prospect(key, is_touched, loses_parents, sum(counts))


def _is_foreseeable(key: ForeignKey, writing: Writing) -> bool:
    """Return whether it is known what both sides of a key will hold.

    Unknown are columns that the target fills itself, the partition that a new row goes to, and kept
    values, which rows may lose while others are written. What a period covers depends on all rows.
    """
    if key.is_period or writing.comes_later & {key.child_root, key.parent_root}:
        return False
    written = writing.tables
    return all(
        root not in written or (name == written[root].plan.name and writing.knows(root, columns))
        for name, columns, root in (
            (key.child, key.columns, key.child_root),
            (key.parent, key.parent_columns, key.parent_root),
        )
    )


def _side(
    rows: sql.Composable,
    columns: tuple[str, ...],
    root: int,
    writing: Writing,
    referring: sql.Composable = ALL,
) -> _Side:
    """Return the rows of one side of a key; those that stay fulfil `referring`, as `c`."""
    if root in writing.staged:
        none = sql.SQL("(SELECT * FROM {} WHERE false)").format(rows)
        return _Side(now=rows, stay=none, leave=rows, come=writing.staged[root])
    staging = writing.merges.get(root)
    if staging is None:
        stay = sql.SQL("(SELECT * FROM {} c WHERE {})").format(rows, referring)
        return _Side(now=rows, stay=stay)
    parts = {
        "rows": rows,
        "referring": referring,
        "columns": names(columns, "t"),
        "new": names(columns, "n"),
        "differs": differs("t", "n", columns),
        "changed": changed_rows(staging.merge.plan),
        "gone": gone_of(staging.merge.plan),
    }
    return _Side(
        now=rows,
        stay=statement("write/rows_that_stay", parts),
        leave=statement("write/rows_that_leave", parts),
        come=statement("write/rows_that_come", parts),
    )


def _is_any(target: Session, rows: sql.Composable, conditions: Sequence[sql.Composable]) -> bool:
    which = sql.SQL(" AND ").join([sql.SQL("true"), *conditions])
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} c WHERE {})").format(rows, which)
    return bool(target.row(query)[0])
