"""What stands in the way of parts: for the whole sync, or for dividing a table.

Parts arrive in any order, in transactions of their own, several at the same time. So nothing may
check or act between rows of different parts, and no part may need a lock that others wait for.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.event_triggers import silence
from common.postgres.settings.function_names import catalog_records, catalog_rows
from common.postgres.settings.replication_role import act_as_replica
from db_sync.parts.part import KeyColumn
from db_sync.plan.tables import Plan, PlannedColumn, TablePlan
from db_sync.run import Run
from db_sync.write.checks import Checks
from db_sync.write.triggers import find_triggers
from db_sync.write.violations import Judge

# Types whose order is the same on every server, so that a bound means the same on both sides.
ORDERED = frozenset(
    {
        *("smallint", "integer", "bigint", "numeric", "oid", "uuid", "bytea"),
        *("date", "time without time zone"),
        *("timestamp without time zone", "timestamp with time zone"),
    }
)
# Ordered by a collation.
TEXTS = frozenset({"text", "character varying"})
C = '"C"'
NO_ENCODING = "SQL_ASCII"  # bounds are sent as UTF-8, which its bytes may not be


class Obstacles(NamedTuple):
    """Why there can be no parts at all, and why some tables must be one part each, by their oids.

    Also the keys of the other tables, by which they are divided.
    """

    refusals: list[str]
    whole: dict[int, str]
    keys: dict[int, tuple[KeyColumn, ...]]


class _Unique(NamedTuple):
    """A row of list_unique_indexes.sql."""

    oid: int
    columns: list[str]
    is_immediate: bool


def find_obstacles(run: Run, plan: Plan, filled: Collection[int]) -> Obstacles:
    """Return what stands in the way of parts.

    The target's transaction acts as a replica from here on, and must be rolled back.

    Args:
        run: the run; both sessions are in a transaction.
        plan: of the sync.
        filled: the oids of the target's tables that have rows.
    """
    tables = plan.tables
    unique = _unique_indexes(run, tables)
    refusals = [
        f"{table.name} has a deferrable unique or exclusion constraint, which nothing would check"
        for table in tables
        if not all(index.is_immediate for index in unique[table.target.oid])
    ]
    if not act_as_replica(run.target):
        refusals.append(
            "the target's role may not set session_replication_role, so that rows of one part"
            " would need those of others: grant it, from PostgreSQL 15 on with GRANT SET ON"
            " PARAMETER session_replication_role"
        )
    refusals += _event_triggers(run.target)
    refusals += _periods(plan)
    checks = Checks(run, tables)
    refusals += [f"the domain {name}'s CHECK must not act meanwhile" for name in checks.domains]
    whole = _locking_tables(run, plan, checks)
    for table in tables:
        if table.target.oid in filled and (reason := _is_delicate(table, unique)):
            whole.setdefault(table.target.oid, reason)
    keys = _keys(run, [table for table in tables if table.target.oid not in whole], whole)
    return Obstacles(refusals, whole, keys)


def _unique_indexes(run: Run, tables: Sequence[TablePlan]) -> dict[int, list[_Unique]]:
    oids = [table.target.oid for table in tables]
    query = load_query("db_sync/parts", "list_unique_indexes")
    found: dict[int, list[_Unique]] = defaultdict(list)
    for index in catalog_records(run.target, query, [oids, oids], _Unique):
        found[index.oid].append(index)
    return found


def _event_triggers(target: Session) -> list[str]:
    """Return which event triggers forbid parts: two transactions cannot both disable one."""
    return [
        f"the event trigger {each.name} fires at a replica's statements too, so that each part"
        " would have to disable it: disable it in staging until the sync is done"
        for each in silence(target)
        if each.is_ours
    ]


def _periods(plan: Plan) -> list[str]:
    """Return why keys of periods forbid parts: only PostgreSQL itself can check one."""
    judge = Judge(plan.catalogs.source, plan.tables, is_checked=False)
    synced = plan.synced
    return [
        f"the foreign key {key.name} of {key.child} is one of periods, which production lacks"
        for key in plan.catalogs.target.foreign_keys
        if key.is_period
        and synced & {key.child_root, key.parent_root}
        and not judge.find_equal_in_source(key)
    ]


def _locking_tables(run: Run, plan: Plan, checks: Checks) -> dict[int, str]:
    """Return the tables whose writing takes a lock that parts of one table cannot share."""
    oids = {table.name: table.target.oid for table in plan.tables}
    partitioned = [table.target.oid for table in plan.tables if table.target.is_partitioned]
    whole: dict[int, str] = {}
    for table in plan.tables:
        if table.source.rights.has_policies:
            whole[table.target.oid] = "production shows its rows through policies"
        if table.target.rights.has_policies:
            whole[table.target.oid] = "its row level security must be switched off meanwhile"
        if table.target.publications.refuses_changes:
            whole[table.target.oid] = "its publication refuses changes of some of its rows"
    reasons = dict.fromkeys(checks.tables, "one of its CHECK constraints must be dropped meanwhile")
    for trigger in find_triggers(run.target, plan.tables):
        reasons[trigger.on] = f"its {trigger.kind.lower()} {trigger.name} must be disabled"
    for name, reason in reasons.items():
        # A partition's may be of any partitioned table.
        on = [oids[name]] if name in oids else partitioned
        whole |= dict.fromkeys(on, reason)
    return whole


def _is_delicate(table: TablePlan, unique: dict[int, list[_Unique]]) -> str | None:
    """Return why a table that has rows is one part: values may move from one part to another."""
    key = set(table.target.key)
    if any(set(index.columns) != key for index in unique[table.target.oid]):
        return "it is not empty, and has a unique or exclusion constraint beside its key"
    if table.target_values:
        return f"it is not empty, and keeps values of {', '.join(table.target_values)}"
    return None


def _keys(
    run: Run, tables: Sequence[TablePlan], whole: dict[int, str]
) -> dict[int, tuple[KeyColumn, ...]]:
    """Return the keys by which tables are divided; note in `whole` why others are not."""
    unlike = _collations(run, tables)
    keys: dict[int, tuple[KeyColumn, ...]] = {}
    for table in tables:
        oid = table.target.oid
        if not table.has_key:
            whole[oid] = "it has no key"
            continue
        if table.source.key != table.target.key:
            whole[oid] = "production's table has no key of the same columns"
            continue
        by_name = {column.name: column for column in table.compared}
        columns = [by_name[name] for name in table.target.key]
        encoding = run.source.server_encoding
        whys = (_why_unordered(table, each, encoding) for each in columns)
        if reason := next(filter(None, whys), None):
            whole[oid] = reason
            continue
        keys[oid] = tuple(
            KeyColumn(
                column.name,
                "text" if column.base_type in TEXTS else column.base_type,
                # Where no index of this collation serves, each part reads the whole table.
                C if column.base_type in TEXTS and (oid, column.name) in unlike else None,
            )
            for column in columns
        )
    return keys


def _why_unordered(table: TablePlan, column: PlannedColumn, encoding: str) -> str | None:
    """Return why bounds on a column of the key would not divide the table."""
    if column.mask or column.as_sent:
        why = "is masked" if column.mask else "holds subs, which staging replaces by its own"
        return f"its key's column {column.name} {why}"
    if column.conversion:
        return f"its key's column {column.name} has another type in production"
    if not table.source.columns[column.name].is_required:
        return f"its key's column {column.name} may be NULL in production"
    if column.base_type in TEXTS and encoding == NO_ENCODING:
        return f"its key's column {column.name} is a text, which has no encoding here"
    if column.base_type not in ORDERED | TEXTS:
        return f"its key's column {column.name} is of the type {column.base_type}"
    return None


def _collations(run: Run, tables: Sequence[TablePlan]) -> set[tuple[int, str]]:
    """Return the columns, by the target's oids, whose texts both sides may order differently."""
    ours = _described(run.source, [table.source.oid for table in tables])
    theirs = _described(run.target, [table.target.oid for table in tables])
    return {
        (table.target.oid, name)
        for table in tables
        for name in table.target.key
        if ours.get((table.source.oid, name)) != theirs.get((table.target.oid, name))
    }


def _described(session: Session, oids: list[int]) -> dict[tuple[int, str], str]:
    """Return how each column of some tables orders texts; see list_key_collations.sql."""
    query = load_query("db_sync/parts", "list_key_collations")
    return {
        (oid, column): description
        for oid, column, description in catalog_rows(session, query, [oids])
    }
