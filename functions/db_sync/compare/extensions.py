"""Rows that users added to tables of extensions: compared, but not copied.

An extension declares which of its tables take such rows, PostGIS's `spatial_ref_sys` for instance,
and which condition selects them from its own rows (pg_extension.extconfig); pg_dump dumps them.
https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES
A sync does not write them: for most tables only a superuser may, and writing to some has effects,
as with pg_cron's jobs.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.names import Name, join_name
from common.reports.notices import Notice, Topic
from db_sync.plan.catalog import Catalogs, ExtensionTable
from db_sync.run import Run, ask_at_once


class Added(NamedTuple):
    """How many rows users added to a table, and the sum of their hashes."""

    rows: int
    hash: int


NONE = Added(0, 0)
type Key = tuple[str, str]  # what identifies an extension's table on both sides


def warn_of_added_rows(run: Run, catalogs: Catalogs) -> list[Notice]:
    """Return a notice for each extension's table whose added rows differ between both sides.

    And for each whose rows our roles may not read. Excluded tables are left out.
    """
    excluded = run.options.rules.exclude
    ours, theirs = (
        {table.key: table for table in catalog.facts.extension_tables if table.name not in excluded}
        for catalog in catalogs
    )
    tables = ours | theirs
    if not tables:
        return []
    run.limit("the rows of extensions' tables were compared")
    unknown = {key for side in (ours, theirs) for key in side if not side[key].may_read}
    known = tables.keys() - unknown
    in_source = _read(run.source, [ours[key] for key in sorted(known & ours.keys())])
    in_target = _read(run.target, [theirs[key] for key in sorted(known & theirs.keys())])
    notices: list[Notice] = []
    for key, table in sorted(tables.items()):
        what = f"Table {table.name} belongs to the extension {table.extension} and is not synced"
        source_rows, target_rows = in_source.get(key, NONE), in_target.get(key, NONE)
        exclude = json.dumps({"exclude": [join_name(*table.name)]}, ensure_ascii=False)
        if key in unknown:
            text = (
                f"{what}. Whether the same rows were added to it on both sides is not known, since"
                " one of our roles may not read them all: grant it SELECT, or exclude the table."
            )
            notices.append(Notice(text, Topic.ROWS, exclude))
        elif source_rows != target_rows:
            text = (
                f"{what}, but the rows that were added to it differ ({source_rows.rows} in the"
                f" source, {target_rows.rows} in the target). Copy them by hand, or"
                " exclude the table."
            )
            notices.append(Notice(text, Topic.ROWS, exclude))
    return notices


def _read(session: Session, tables: list[ExtensionTable]) -> dict[Key, Added]:
    """Return what was added to each table, in few round trips."""
    if not tables:
        return {}
    by_name = {table.name: table for table in tables}

    def ask(names: Sequence[Name]) -> list[Added]:
        queries = [_query(number, by_name[name]) for number, name in enumerate(names)]
        found = session.rows(sql.SQL(" UNION ALL ").join(queries) + sql.SQL(" ORDER BY 1"))
        return [Added(int(rows), int(total)) for _, rows, total in found]

    answers = ask_at_once(session, "table", list(by_name), ask)
    return {table.key: added for table, added in zip(tables, answers, strict=True)}


def _query(number: int, table: ExtensionTable) -> sql.Composable:
    """Return the query that counts and hashes a table's added rows."""
    return sql.SQL(
        "SELECT {}, count(*), coalesce(sum(hashtextextended(ROW({}.*)::text, 0)), 0) FROM {} {}"
    ).format(
        sql.Literal(number),
        sql.Identifier(table.name.name),
        table.name.identifier,
        sql.SQL(table.condition),
    )
