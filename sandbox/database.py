"""One database of an embedded server, used as a superuser by the sandbox and the tests."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2

from common.postgres.connection.address import DatabaseAddress
from common.postgres.target import MARKER
from sandbox.postgres import EmbeddedPostgres

type Parameters = Sequence[Any] | Mapping[str, Any]

CATALOGS = """
SELECT oid::regclass::text
FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared
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
_SCHEMAS: dict[str, str] = {}  # by the states of the catalogs that they were dumped in


@dataclass(frozen=True, slots=True)
class Database:
    """A database, and how the sandbox and the tests use it."""

    server: EmbeddedPostgres
    name: str

    @property
    def url(self) -> str:
        """A superuser's connection URL."""
        return self.server.url(self.name)

    @property
    def address(self) -> DatabaseAddress:
        """The same as an address, as staging-sync uses it."""
        return DatabaseAddress.of_url(self.url)

    def address_as(self, user: str) -> DatabaseAddress:
        """Return the address for another role."""
        return DatabaseAddress.of_url(self.server.url(self.name, user))

    def connect(self) -> Any:
        """Return a new psycopg2 connection, which the caller closes."""
        return psycopg2.connect(self.url)

    def execute(self, *statements: str) -> int:
        """Run statements, each in a transaction of its own; return the rows that they touched."""
        return self.server.execute(self.name, *statements)

    def rows(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def value(self, query: str) -> Any:
        """Return the one value that a query finds."""
        ((value,),) = self.rows(query)
        return value

    def mark(self) -> None:
        """Mark the database as a sync target."""
        self.execute(f"COMMENT ON DATABASE {self.name} IS '{MARKER}'")

    def schema(self) -> str:
        """Return `pg_dump -s` and the states of triggers and rules, which it leaves out.

        It is dumped once for each state of the catalogs, which copies of one template share.
        """
        state = f"{self.server.socket_dir} {self._catalogs()}"
        if state not in _SCHEMAS:
            dump = self.server.run("pg_dump", "-s", "--restrict-key=test", self.name)
            states = self.rows(
                "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
                " WHERE NOT tgisinternal UNION ALL SELECT ev_class::regclass::text, rulename,"
                " ev_enabled FROM pg_rewrite ORDER BY 1, 2"
            )
            _SCHEMAS[state] = f"{dump}\n{states}"
        return _SCHEMAS[state]

    def _catalogs(self) -> list[tuple[Any, ...]]:
        """Return what changes with any row of the database's catalogs: which, in which version.

        A row that is changed has another transaction and place. Statistics do not count, nor do
        large objects, nor the schema of a session's temporary tables. With the settings by which
        the database would be dumped.
        """
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(CATALOGS)
            queries = [CATALOG_STATE.format(name) for (name,) in cursor.fetchall()]
            queries.append(CATALOG_STATE.format(f"pg_namespace WHERE nspname !~ '{TEMPORARY}'"))
            cursor.execute(" UNION ALL ".join(queries) + " ORDER BY 1")
            states: list[tuple[Any, ...]] = cursor.fetchall()
            cursor.execute(DATABASE_SETTINGS)
            states += cursor.fetchall()
            return states

    def contents(self) -> str:
        """Return every row of every table and large object, sorted; shares no code with the engine.

        Without generated columns, and of extensions' tables only the rows that a dump takes.
        Without the sequences: last value 20 that was called, and 21 that was not, give the same
        next number.
        """
        lines: list[str] = []
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
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
