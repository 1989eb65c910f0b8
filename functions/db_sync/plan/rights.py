"""Rights that our roles lack, named before anything is done, with the statements to run."""

from common.postgres.names import Name
from db_sync.plan.catalog import Catalog, Table
from db_sync.plan.related_rights import RelatedRights
from db_sync.plan.tables import Plan
from db_sync.plan.wording import all_quoted, listed, quoted, refused, some_of

POLICY = "staging_sync_reads"  # the policy that our messages advise to create


def check_rights(plan: Plan, *, dry_run: bool) -> None:
    """Add the rights that are missing to the plan's configuration errors.

    A dry run needs only to read the target; a warning names what a sync would need beyond that.
    """
    target, related = plan.catalogs.target, RelatedRights(plan)
    missing = _of_source(plan.catalogs.source, [table.source for table in plan.tables])
    tables = [table.target for table in plan.tables]
    to_own = tables + _children(plan)
    to_write = _of_target(target, to_own)
    to_write += related.to_write({table.name for table in to_own if not _may_write_all(table)})
    if dry_run:
        missing += _to_read(target, tables, "target") + related.to_compare()
        plan.notices += [refused(each) for each in to_write]
    else:
        missing += to_write
    if missing:
        # If nothing else is missing, a warning is enough: those sequences are left as they are.
        missing += related.in_source()
    plan.configuration_errors += missing


def _of_source(catalog: Catalog, tables: list[Table]) -> list[str]:
    """Return what is missing to read every row of the source's tables."""
    missing = _to_read(catalog, tables, "source")
    role = catalog.facts.role
    for filtered in some_of([table for table in tables if not table.rights.sees_all]):
        policies = " ".join(
            f"CREATE POLICY {POLICY} ON {quoted(*table.name)} FOR SELECT TO {quoted(role)}"
            " USING (true);"
            for table in filtered
        )
        missing.append(
            f"Row level security hides rows of {listed(table.name for table in filtered)} from the"
            f" source role {role}. Run there, as the tables' owner: {policies} A RESTRICTIVE policy"
            " must show the role every row too. Or a superuser, which RDS's master user is not, can"
            f" run: ALTER ROLE {quoted(role)} BYPASSRLS; Or exclude the tables."
        )
    return missing


def _of_target(catalog: Catalog, tables: list[Table]) -> list[str]:
    """Return what is missing to write the target's tables."""
    role, missing = catalog.facts.role, _to_use_schemas(catalog, tables, "target")
    for others in some_of([table for table in tables if not _may_write_all(table)]):
        statements = " ".join(
            f"ALTER TABLE {quoted(*table.name)} OWNER TO {quoted(role)};" for table in others
        )
        missing.append(
            f"The target role {role} may not write {listed(table.name for table in others)}; it"
            f" should own them. Run there: {statements}"
        )
    if tables and not catalog.facts.may_create_temporary:
        missing.append(
            f"The target role {role} may not create temporary tables. Run there: GRANT TEMPORARY"
            f" ON DATABASE {quoted(catalog.facts.database)} TO {quoted(role)};"
        )
    return missing


def _may_write_all(table: Table) -> bool:
    """Return whether every row can be written; an owner can switch off policies that are forced."""
    rights = table.rights
    is_bound = rights.has_policies and not rights.is_owner
    return rights.may_read and rights.may_write and not is_bound


def _to_read(catalog: Catalog, tables: list[Table], side: str) -> list[str]:
    """Return what is missing to read tables."""
    role, missing = catalog.facts.role, _to_use_schemas(catalog, tables, side)
    for unreadable in some_of([table.name for table in tables if not table.rights.may_read]):
        missing.append(
            f"The {side} role {role} may not read {listed(unreadable)}. Run there: GRANT SELECT ON"
            f" {all_quoted(unreadable)} TO {quoted(role)};"
        )
    return missing


def _to_use_schemas(catalog: Catalog, tables: list[Table], side: str) -> list[str]:
    """Return what is missing to use the tables' schemas."""
    role = catalog.facts.role
    closed = sorted({table.name.schema for table in tables if not table.rights.may_use_schema})
    if not closed:
        return []
    return [
        f"The {side} role {role} may not use the schema {', '.join(closed)}. Run there:"
        f" GRANT USAGE ON SCHEMA {', '.join(map(quoted, closed))} TO {quoted(role)};"
    ]


def _children(plan: Plan) -> list[Table]:
    """Return the tables that are not synced and refer to one that is: they are locked too."""
    catalog, synced = plan.catalogs.target, plan.synced
    names: set[Name] = {
        key.child
        for key in catalog.foreign_keys
        if key.parent_root in synced and key.child_root not in synced
    }
    return [catalog.tables[name] for name in sorted(names) if name in catalog.tables]
