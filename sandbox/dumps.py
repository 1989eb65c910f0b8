"""A database's schema and contents as texts to compare, which share no code with the engine."""

import io
from typing import Any

from sandbox.postgres import EmbeddedPostgres

CATALOGS = """
SELECT oid::regclass::text
FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
  AND (NOT relisshared OR relname = 'pg_subscription')
  AND relname NOT IN (
      'pg_largeobject', 'pg_largeobject_metadata', 'pg_namespace', 'pg_statistic',
      'pg_statistic_ext_data'
  )
"""
CATALOG_STATE = """
SELECT min(tableoid::oid), count(*), sum(hashtextextended(xmin::text || ctid::text, 0)) FROM {}
"""
TEMPORARY = "^pg_(toast_)?temp_"  # schemas of sessions' temporary tables, which stay
DATABASE_SETTINGS = """
SELECT s.setrole, s.setconfig
FROM pg_db_role_setting s
JOIN pg_database d ON d.oid = s.setdatabase OR s.setdatabase = 0
WHERE d.datname = current_database()
ORDER BY s.setdatabase, s.setrole
"""
STATES = """
SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT ev_class::regclass::text, rulename, ev_enabled FROM pg_rewrite
ORDER BY 1, 2
"""
# What a value's text depends on, set as pg_dump does, so that two databases' texts are comparable.
AS_PG_DUMP = """
SET search_path = ''; SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 3;
SET TimeZone = 'UTC'; SET bytea_output = hex; SET row_security = off; SET statement_timeout = 0
"""
TABLES = """
SELECT
    format('%I.%I (%s)', n.nspname, c.relname, columns.names),
    format(
        'SELECT %s FROM ONLY %I.%I %s', columns.names, n.nspname, c.relname,
        e.extcondition[array_position(e.extconfig, c.oid)]
    )
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
) columns
LEFT JOIN pg_depend d
    ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (e.oid IS NULL OR c.oid = ANY (e.extconfig))
UNION ALL
SELECT 'large objects', 'SELECT loid, pageno, data FROM pg_catalog.pg_largeobject'
"""
_schemas: dict[str, str] = {}  # what was dumped, by the state of the catalogs


def dump_schema(connection: Any, server: EmbeddedPostgres, database: str) -> str:
    """Return `pg_dump -s` and the states of triggers and rules, which it leaves out.

    It is dumped once for each state of the catalogs, which copies of one template share: to dump
    takes several times as long as to look whether anything has changed.

    Args:
        connection: psycopg2's, of a superuser, to the database.
        server: the database's.
        database: its name.
    """
    state = f"{server.socket_dir} {_state_of_catalogs(connection)}"
    if state not in _schemas:
        dump = server.run("pg_dump", "-s", "--restrict-key=test", database)
        with connection.cursor() as cursor:
            cursor.execute(STATES)
            _schemas[state] = f"{dump}\n{cursor.fetchall()}"
    return _schemas[state]


def _state_of_catalogs(connection: Any) -> list[tuple[Any, ...]]:
    """Return what is another one as soon as a row of the database's catalogs is.

    A row that is changed has another transaction and place. Left out are statistics, large objects
    and the schemas of sessions' temporary tables; the database's settings, by which it is dumped,
    are included.
    """
    with connection.cursor() as cursor:
        cursor.execute(CATALOGS)
        queries = [CATALOG_STATE.format(name) for (name,) in cursor.fetchall()]
        queries.append(CATALOG_STATE.format(f"pg_namespace WHERE nspname !~ '{TEMPORARY}'"))
        cursor.execute(" UNION ALL ".join(queries) + " ORDER BY 1")
        states: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute(DATABASE_SETTINGS)
        states += cursor.fetchall()
        return states


def dump_contents(connection: Any) -> str:
    """Return every row of every table and large object, sorted.

    Without generated columns, and of extensions' tables only the rows that pg_dump takes. Without
    the sequences: last value 20 that was called, and 21 that was not, give the same next number.

    Args:
        connection: psycopg2's, of a superuser; its settings are changed.
    """
    lines: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(AS_PG_DUMP)
        # As bytes, whatever the database's encoding.
        cursor.execute("SELECT set_config('client_encoding', getdatabaseencoding(), false)")
        cursor.execute(TABLES)
        for label, query in cursor.fetchall():
            copied = io.BytesIO()
            cursor.copy_expert(f"COPY ({query}) TO STDOUT", copied)
            rows = copied.getvalue().decode("latin-1").split("\n")[:-1]
            lines += [f"{label} {row}" for row in rows]
    return "\n".join(sorted(lines))
