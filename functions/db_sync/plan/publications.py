"""Tables of the target whose rows PostgreSQL refuses to update and delete.

It refuses that if a publication publishes updates or deletes and the table has no replica identity
by which a subscriber could find the row. If such a table differs, all its rows are replaced.
https://www.postgresql.org/docs/current/logical-replication-publication.html
"""

from db_sync.plan.tables import Plan, TablePlan
from db_sync.plan.wording import quoted


def check_publications(plan: Plan) -> None:
    """Add the tables whose rows cannot be replaced either to the plan's configuration errors."""
    referenced = {
        key.parent_root: key.child
        for key in plan.catalogs.target.foreign_keys
        if key.parent_root != key.child_root
    }
    for table in plan.tables:
        if not table.target.publications.refuses_changes:
            continue
        if why := _why_not_replaced(table, str(referenced.get(table.target.oid, ""))):
            plan.configuration_errors.append(
                f"{table.name} is in a publication of the target that publishes updates or deletes,"
                " and has no replica identity for them, so that PostgreSQL refuses both. Its rows"
                f" cannot be replaced either: {why}. Run there: ALTER TABLE {quoted(*table.name)}"
                " REPLICA IDENTITY FULL; (for each partition, if it is partitioned). If the"
                " publication has a column list for it, remove the list, or add the columns of its"
                " primary key."
            )


def _why_not_replaced(plan: TablePlan, child: str) -> str | None:
    """Return why the table cannot be truncated, None if it can; `child` refers to the table."""
    if child:
        return f"{child} refers to it, so that it cannot be truncated"
    if plan.target.publications.hides_truncate:
        return "its publication does not publish TRUNCATE, so that a subscriber would keep its rows"
    if plan.has_key and (plan.kept or plan.own):
        names = ", ".join([*(column.name for column in plan.kept), *plan.own])
        return f"values of the target's own would be lost ({names})"
    return None
