"""Whether all parts together are what the snapshot holds: the checks, and what they mean."""

from collections import defaultdict
from collections.abc import Mapping

from psycopg2 import sql

from common.errors import VerificationFailed
from common.log import logger
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.names import Name
from common.postgres.orphans import count_orphans
from db_sync.parts.checks import Blocks, Check, count, is_of_source, list_checks
from db_sync.parts.part import Division, KeyCheck, Part, RowCount
from db_sync.parts.progress import STAYS, NextRound, Progress
from db_sync.parts.sizes import measure
from db_sync.plan.tables import Plan
from db_sync.run import Run
from db_sync.write.replace import analyze
from db_sync.write.violations import Judge, Violation

type Counts = Mapping[Check, int]


def count_all(run: Run, plan: Plan, progress: Progress) -> Counts | NextRound:
    """Return what the checks found; those that take long are pieces of the next round."""
    division, tuning = progress.division, run.tuning
    if division.checks:
        return {check: progress.latest[check.number].rows for check in division.checks}
    _analyze(run, plan, division)  # the checks' statements are planned by it
    sizes = measure(run.source, run.target, plan.tables)
    blocks = Blocks(sizes, tuning.rates, tuning.part_seconds)
    checks = list_checks(plan, division, blocks)
    if sum(check.seconds for check in checks) > tuning.part_seconds:
        with_checks = division.with_checks(checks)
        return NextRound(with_checks, tuple(check.number for check in with_checks.checks))
    counts: dict[Check, int] = {}
    for check in run.each("check", checks):
        run.limit(f"{check.table} was checked")
        session = run.source if is_of_source(check) else run.target
        counts[check] = count(session, check, plan.catalogs.target.foreign_keys)
    return counts


def wrong_parts(run: Run, plan: Plan, progress: Progress, counts: Counts) -> list[Part]:
    """Return the parts of the tables that are not what they should be by the checks.

    That is, to which somebody else has written meanwhile: rows, or the parents of rows.

    Raises:
        VerificationFailed: an index of the source lacks rows, so that no part can be trusted.
    """
    rows: dict[Name, int] = defaultdict(int)
    for part in progress.division.parts:
        for table in progress.latest[part.number].tables if part.bounds else ():
            rows[part.tables[0]] += table.rows
    found: dict[tuple[str, Name], int] = defaultdict(int)
    for check, number in counts.items():
        if isinstance(check, RowCount):
            found[check.side, check.table] += number
    for name, expected in rows.items():
        if found["source", name] != expected:
            raise _broken_index(run.source, name, expected, found["source", name])
    wrong = {name for name, expected in rows.items() if found["target", name] != expected}
    wrong |= _without_parents(run, plan, counts)
    logger.info("checked", tables=len(rows), wrong=sorted(map(str, wrong)))
    return [part for part in progress.division.parts if wrong & set(part.tables)]


def violations(plan: Plan, counts: Counts) -> list[Violation]:
    """Return the foreign keys that rows break."""
    keys = {(key.child, key.name): key for key in plan.catalogs.target.foreign_keys}
    orphans: dict[tuple[Name, str], int] = defaultdict(int)
    for check, number in counts.items():
        if isinstance(check, KeyCheck):
            orphans[check.table, check.key] += number
    return [Violation(keys[place], number) for place, number in orphans.items() if number]


def _analyze(run: Run, plan: Plan, division: Division) -> None:
    """Update the statistics of the divided tables: no part has done so.

    Also of those that are unchanged: an execution before this one, which failed, may have filled
    them.
    """
    divided = {part.tables[0] for part in division.parts if part.bounds}
    tables = [table for table in plan.tables if table.name in divided]
    for table in run.each("analyze", tables):
        run.limit(f"the statistics of {table.name} were updated")
        analyze(run.target, table)


def _without_parents(run: Run, plan: Plan, counts: Counts) -> set[Name]:
    """Return the tables of foreign keys that more rows break than production's own rows do."""
    judge = Judge(plan.catalogs.source, plan.tables, is_checked=False)
    names = {table.target.oid: table.name for table in plan.tables}
    return {
        names[root]
        for violation in violations(plan, counts)
        if (twin := judge.find_equal_in_source(violation.key))
        and _count_in_source(run, twin) != violation.orphans
        for root in (violation.key.child_root, violation.key.parent_root)
    }


def _count_in_source(run: Run, key: ForeignKey) -> int:
    """Return how many of production's own rows break its key.

    Of a valid one too: rows are not checked that a replication or a restore writes.
    """
    run.limit(f"the foreign key {key.name} was checked in the source")
    return count_orphans(run.source, key)


def _broken_index(source: Session, table: Name, found: int, rows: int) -> VerificationFailed:
    reindex = source.quoted(sql.SQL("REINDEX TABLE {};").format(table.identifier))
    return VerificationFailed(
        f"{table} has {rows} rows in the source {source.address} where the index of its key knows"
        f" of {found}, so that no copy can be trusted. {STAYS} Build its indexes again there, and"
        f" start again: {reindex}"
    )
