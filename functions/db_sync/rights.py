"""What our roles may not do and must: told before anything is done, with the statements to run."""

from collections.abc import Iterable, Iterator

from common.names import Name
from db_sync.catalog import Catalog, Table
from db_sync.plan import Plan

POLICY = "staging_sync_reads"  # what our messages call the one that shows a table
AT_ONCE = 20  # tables in one sentence


def check_rights(source: Catalog, target: Catalog, plan: Plan, *, dry_run: bool) -> None:
    """Add the rights that are missing to the plan's faults.

    A dry run needs to read the target only; what more a sync needs is a warning then.
    """
    plan.faults += _of_source(source, [table.source for table in plan.tables])
    tables = [table.target for table in plan.tables]
    writing = _of_target(target, tables + _children(target, plan))
    if dry_run:
        plan.faults += _to_read(target, tables, "target")
        plan.warnings += [f"A sync that writes will be refused: {fault}" for fault in writing]
    else:
        plan.faults += writing


def _of_source(catalog: Catalog, tables: list[Table]) -> list[str]:
    """Return what is missing to read every row of the source's tables."""
    faults = _to_read(catalog, tables, "source")
    role = catalog.facts.role
    for filtered in _some([table for table in tables if not table.rights.sees_all]):
        policies = " ".join(
            f"CREATE POLICY {POLICY} ON {quoted(*table.name)} FOR SELECT TO {quoted(role)}"
            " USING (true);"
            for table in filtered
        )
        faults.append(
            f"Row level security hides rows of {_listed(filtered)} from the source role {role}."
            f" Run there, as the tables' owner: {policies} A superuser, which the master of RDS is"
            f" not, may run instead: ALTER ROLE {quoted(role)} BYPASSRLS; or exclude the tables. A"
            " RESTRICTIVE policy must let the role see every row too."
        )
    return faults


def _of_target(catalog: Catalog, tables: list[Table]) -> list[str]:
    """Return what is missing to write the target's tables."""
    role, faults = catalog.facts.role, _to_use_schemas(catalog, tables, "target")
    for others in _some([table for table in tables if not _may_write_all(table)]):
        statements = " ".join(
            f"ALTER TABLE {quoted(*table.name)} OWNER TO {quoted(role)};" for table in others
        )
        faults.append(
            f"The target role {role} may not write {_listed(others)}; it should own them. Run"
            f" there: {statements}"
        )
    if tables and not catalog.facts.may_create_temporary:
        faults.append(
            f"The target role {role} may not create temporary tables. Run there: GRANT TEMPORARY"
            f" ON DATABASE {quoted(catalog.facts.database)} TO {quoted(role)};"
        )
    return faults


def _may_write_all(table: Table) -> bool:
    """Return whether every row can be written; policies bind an owner only if they are forced."""
    rights = table.rights
    is_bound = rights.has_policies and not rights.is_owner
    return rights.may_read and rights.may_write and not is_bound


def _to_read(catalog: Catalog, tables: list[Table], side: str) -> list[str]:
    """Return what is missing to read tables."""
    role, faults = catalog.facts.role, _to_use_schemas(catalog, tables, side)
    for unreadable in _some([table for table in tables if not table.rights.may_read]):
        names = ", ".join(quoted(*table.name) for table in unreadable)
        faults.append(
            f"The {side} role {role} may not read {_listed(unreadable)}. Run there:"
            f" GRANT SELECT ON {names} TO {quoted(role)};"
        )
    return faults


def _to_use_schemas(catalog: Catalog, tables: list[Table], side: str) -> list[str]:
    """Return what is missing to reach tables at all."""
    role = catalog.facts.role
    closed = sorted({table.name.schema for table in tables if not table.rights.may_use_schema})
    if not closed:
        return []
    return [
        f"The {side} role {role} may not use what is in the schema {', '.join(closed)}. Run there:"
        f" GRANT USAGE ON SCHEMA {', '.join(map(quoted, closed))} TO {quoted(role)};"
    ]


def _children(catalog: Catalog, plan: Plan) -> list[Table]:
    """Return the tables that are not synced and refer to one that is: they are locked too."""
    synced = {table.target.oid for table in plan.tables}
    names: set[Name] = {
        key.child
        for key in catalog.foreign_keys
        if key.parent_root in synced and key.child_root not in synced
    }
    return [catalog.tables[name] for name in sorted(names) if name in catalog.tables]


def _some(tables: list[Table]) -> Iterator[list[Table]]:
    """Yield a few tables at a time, so that a sentence about them can be read."""
    for first in range(0, len(tables), AT_ONCE):
        yield tables[first : first + AT_ONCE]


def _listed(tables: Iterable[Table]) -> str:
    return ", ".join(str(table.name) for table in tables)


def quoted(*parts: str) -> str:
    """Return a name as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
