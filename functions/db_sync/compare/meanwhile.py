"""What others wrote to the target between its comparison and the locks that keep writers out.

A table is compared without a lock, and locked only if it is to be written. Then its rows may be
others. Not all of their fingerprints need to be computed again:

- A row is *new* if a transaction wrote it that the comparison did not see: one whose id is not
  below that of the oldest that was active then. A row's `xmin` has the last 32 bits of it, even if
  the row is frozen. `age(xid)` tells how far back that is; a negative age is that of a transaction
  which began later than ours. It also finds rows that are billions of transactions old, and so too
  many, but never too few. pg_visible_in_snapshot() would not do: a snapshot does not list the ids
  of all subtransactions.
- Ranges with new rows are compared again. If the other ranges together have as many rows as before,
  none of theirs has gone, and so they are as they were. Else the table is compared again.
- Rows can also change though none is new, see list_storage.sql. Such a table is compared again.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from db_sync.brief_locks import letting_go
from db_sync.compare.decision import Found, decide, found_in
from db_sync.compare.fingerprint import Comparison, compare_sides
from db_sync.compare.moment import Moment, read_storage
from db_sync.compare.new_rows import compare_new_rows, read_age
from db_sync.compare.outcomes import Merge, Outcome, Replace, Same
from db_sync.compare.row_counts import count_rows, which_have_rows
from db_sync.compare.small_tables import compare_small, is_small
from db_sync.planner import tables_themselves
from db_sync.run import Run


def compare_again(
    run: Run, tables: Sequence[Outcome], moment: Moment, people: Collection[str]
) -> list[Outcome]:
    """Return what is to be done about tables now, after what was found of them at a moment.

    Args:
        run: the target's session has locked the tables against writers; the source's still reads
            the snapshot that they were compared with.
        tables: what was found.
        moment: of the target, when it was compared.
        people: those whose subs have changed since: what follows these reads as other rows now.
    """
    storage = read_storage(run.target, [table.plan.target.oid for table in tables])
    moved = {oid for oid, digest in storage.items() if digest != moment.storage[oid]}
    moved |= {
        table.plan.target.oid
        for table in tables
        if any(each.people in people for each in table.plan.target.following)
    }
    small: list[Same | Merge] = []
    large: list[Same | Merge] = []
    replaced: list[Replace] = []
    searched: list[Outcome] = []
    for table in tables:
        match table:
            case Replace():
                replaced.append(table)
            case Merge(numbers=None):  # all rows are searched for differences when it is written
                searched.append(table)
            case _:
                (small if is_small(table.ranges) else large).append(table)
    return [
        *searched,
        *_count_again(run, replaced),
        *_compare_small_again(run, small),
        *_compare_large_again(run, large, moment, moved),
    ]


def _count_again(run: Run, replaced: Sequence[Replace]) -> list[Replace]:
    """Count the rows of tables that are replaced whatever they hold."""
    if not replaced:
        return []
    run.limit("the rows of the target's tables were counted")
    with tables_themselves(run.target):
        filled = which_have_rows(run.target, [each.plan.target for each in replaced])
        rows = [
            count_rows(run.target, each.plan.target) if each.plan.target.oid in filled else 0
            for each in replaced
        ]
    return [replace(each, target_rows=count) for each, count in zip(replaced, rows, strict=True)]


def _compare_small_again(run: Run, tables: Sequence[Same | Merge]) -> list[Outcome]:
    """Compare small tables, which takes no longer than to look for their new rows."""
    with tables_themselves(run.source, run.target):
        compared = compare_small(run, [table.ranges for table in tables])
        found = [
            comparison or _compare_whole(run, table)
            for table, comparison in zip(tables, compared, strict=True)
        ]
    return [_outcome(run, *each) for each in zip(tables, found, strict=True)]


def _compare_large_again(
    run: Run, tables: Sequence[Same | Merge], moment: Moment, moved: Collection[int]
) -> Iterator[Outcome]:
    """Compare the ranges that have new rows, or all of a table where that is not enough."""
    age = read_age(run, moment) if tables else 0
    for table in letting_go(run.each("recheck", tables), run.source, run.target):
        comparison = None
        if table.plan.target.oid not in moved:
            with run.step("compare", table.plan):
                comparison = compare_new_rows(run, table.ranges, table.comparison, age)
        if comparison is None:
            with tables_themselves(run.source, run.target):
                comparison = _compare_whole(run, table)
        yield _outcome(run, table, comparison)


def _compare_whole(run: Run, table: Same | Merge) -> Comparison:
    with run.step("compare", table.plan):
        return compare_sides(run, table.ranges)


def _outcome(run: Run, table: Same | Merge, comparison: Comparison) -> Outcome:
    found = found_in(table.ranges, table.totals.rows, comparison)
    return decide(run, found) if isinstance(found, Found) else found
