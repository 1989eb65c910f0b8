"""Functions in indexes, checks, defaults and generated columns find what their bodies name.

PostgreSQL inlines the body of an SQL function that an index calls when it plans any statement on
the table, even one that does not use the index.
"""

import pytest

from tests.integration.db_sync.following import rules
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases, Pair

# Most bodies name a function of their own schema, as in a migration that sets the search path. Some
# functions have names of built-in ones that our statements call, and take the same types.
FUNCTIONS = """
CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE FUNCTION folded(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE FUNCTION norm(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT folded($1)';
CREATE FUNCTION is_short(text) RETURNS boolean IMMUTABLE LANGUAGE sql
    AS 'SELECT length(norm($1)) < 100';
CREATE FUNCTION hashtextextended(text, int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION hashint4extended(int, int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION mod(numeric, bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 1::numeric';
CREATE FUNCTION unnest(bigint[]) RETURNS SETOF bigint LANGUAGE sql AS 'SELECT 1::bigint';
"""
SCHEMA = (
    FUNCTIONS
    + """
CREATE DOMAIN short AS text CHECK (is_short(VALUE));
CREATE TABLE parents (id int PRIMARY KEY, v text);
CREATE INDEX ON parents (norm(v));
CREATE TABLE children (
    id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE, v text CHECK (is_short(v)),
    s short, made text GENERATED ALWAYS AS (norm(v)) STORED
);
CREATE INDEX ON children (parent) WHERE norm(v) <> '';
CREATE STATISTICS of_children ON norm(v), id FROM children;
CREATE TABLE lines (v text);
CREATE INDEX ON lines (norm(v));
"""
)


def assert_same_rows(pair: Pair) -> None:
    """Compare both sides with queries, since pg_dump cannot read such tables."""
    tables = pair.source.rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information)'"
    )
    path = "SET search_path = public, shop, tools, two; SELECT"
    for schema, table in tables:
        query = f"{path} array_agg(t::text ORDER BY t::text) FROM {schema}.{table} t"
        assert pair.target.value(query) == pair.source.value(query)


def rows(first: int, last: int, value: str = "V") -> str:
    return f"""
    SET search_path = shop, public;
    INSERT INTO parents SELECT i, '{value}' || i FROM generate_series({first}, {last}) i;
    INSERT INTO children (id, parent, v, s) SELECT i, i, '{value}' || i, 's'
        FROM generate_series({first}, {last}) i;
    INSERT INTO lines SELECT '{value}' || i FROM generate_series({first}, {last}) i;
    UPDATE parents SET v = '{value}' WHERE id % 100 = 7;
    """


def made(databases: Databases, target: str) -> Pair:
    return databases.pair(SCHEMA, source=rows(1, 2500, "W") + "ANALYZE", target=target)


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("target", ["", rows(10, 2600)], ids=["empty", "filled"])
def test_names_without_a_schema_are_found_on_both_sides(
    system_databases: Databases, role: str, target: str
) -> None:
    pair = made(system_databases, target)
    address = pair.target.address
    if role == "owner":
        address = own_tables(pair, "table_owner")
        pair.target.execute(OWNED)

    assert sync(pair, target=address, dry_run=True).status == "dry_run"
    result = sync(pair, target=address)

    assert (result.status, result.warnings) == ("synced", ())
    assert_same_rows(pair)
    assert sync(pair, target=address).status == "unchanged"


OWNED = """
ALTER SCHEMA shop OWNER TO table_owner; ALTER TABLE shop.parents OWNER TO table_owner;
ALTER TABLE shop.children OWNER TO table_owner; ALTER TABLE shop.lines OWNER TO table_owner;
"""


def test_the_path_of_a_tables_owner_is_searched(system_databases: Databases) -> None:
    """The names are in another schema than the function, and only the owner's path has it."""
    pair = system_databases.pair(
        """
        CREATE SCHEMA tools;
        CREATE FUNCTION tools.folded(text) RETURNS text IMMUTABLE LANGUAGE sql
            AS 'SELECT lower($1)';
        SET search_path = tools, public;
        CREATE FUNCTION public.norm(text) RETURNS text IMMUTABLE LANGUAGE sql
            AS 'SELECT folded($1)';
        CREATE TABLE public.t (id int PRIMARY KEY, v text);
        CREATE INDEX ON t (norm(v));
        """,
        source="SET search_path = tools, public; INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        target="SET search_path = tools, public; INSERT INTO t VALUES (1, 'a'), (2, 'old')",
    )
    for database in pair:
        database.execute(
            """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tool_user') THEN
                    CREATE ROLE tool_user;
                END IF;
            END $$;
            ALTER TABLE t OWNER TO tool_user;
            ALTER ROLE tool_user SET search_path = public, tools
            """
        )

    result = sync(pair)

    assert [table.action for table in result.tables] == ["merge"]
    assert_same_rows(pair)


@pytest.mark.parametrize("only", ["both sides", "the target"])
def test_an_index_with_a_function_of_earthdistance_finds_its_rows_after_a_sync(
    system_databases: Databases, only: str
) -> None:
    pair = system_databases.pair(
        "CREATE EXTENSION cube; CREATE EXTENSION earthdistance;"
        "CREATE TABLE places (id int PRIMARY KEY, lat float8, lon float8)",
        source="INSERT INTO places SELECT i, i % 90, i % 180 FROM generate_series(1, 2500) i",
        target="INSERT INTO places SELECT i, i % 90, i % 179 FROM generate_series(100, 600) i",
    )
    for database in pair if only == "both sides" else (pair.target,):
        database.execute("CREATE INDEX ON places USING gist (ll_to_earth(lat, lon))")

    assert sync(pair, dry_run=True).status == "dry_run"
    assert sync(pair).status == "synced"

    assert_same_rows(pair)
    assert sync(pair).status == "unchanged"
    found = (
        "SELECT id FROM places WHERE earth_box(ll_to_earth(7, 7), 1000) @> ll_to_earth(lat, lon)"
    )
    assert pair.target.rows(f"SET enable_seqscan = off; {found} ORDER BY id") == [
        (n,) for n in range(7, 2501, 180)
    ]


def test_each_table_finds_the_names_of_its_own_schema_first(databases: Databases) -> None:
    tenant = """
        CREATE SCHEMA {0};
        CREATE FUNCTION {0}.prefix() RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT '{0} ' $$;
        CREATE FUNCTION {0}.named(text) RETURNS text IMMUTABLE LANGUAGE plpgsql
            AS $$ BEGIN RETURN prefix() || $1; END $$;
        CREATE TABLE {0}.t (
            id int PRIMARY KEY, v text, made text GENERATED ALWAYS AS ({0}.named(v)) STORED
        );
        """
    filled = "".join(
        f"SET search_path = {name}; INSERT INTO t SELECT i, i::text FROM generate_series(1, 5) i;"
        for name in ("one", "two")
    )
    pair = databases.pair("".join(map(tenant.format, ("one", "two"))), source=filled)

    sync(pair)

    assert_same_rows(pair)
    pair.target.execute("SET search_path = two; UPDATE t SET v = 'other' WHERE id = 2")
    assert sync(pair).status == "synced"
    assert_same_rows(pair)
    assert sync(pair).status == "unchanged"


def test_functions_that_only_the_plpgsql_function_of_an_index_calls_are_found(
    databases: Databases,
) -> None:
    """From PostgreSQL 17 on ANALYZE itself does not find such names."""
    pair = databases.pair(
        """
        CREATE SCHEMA shop;
        SET search_path = shop;
        CREATE FUNCTION folded(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
        CREATE FUNCTION norm(text) RETURNS text IMMUTABLE LANGUAGE plpgsql
            AS 'BEGIN RETURN folded($1); END';
        CREATE FUNCTION first_code() RETURNS text LANGUAGE plpgsql
            AS 'BEGIN RETURN folded(''A''); END';
        CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT first_code());
        CREATE INDEX ON t (norm(v));
        """,
        source="SET search_path = shop; INSERT INTO t SELECT i FROM generate_series(1, 3000) i",
        target="SET search_path = shop; ALTER TABLE t ADD own text DEFAULT first_code()",
    )

    sync(pair)

    assert pair.target.rows("SELECT DISTINCT v, own FROM shop.t") == [("a", "a")]
    assert sync(pair).status == "unchanged"


def test_definitions_keep_their_meaning_when_they_are_created_again(databases: Databases) -> None:
    """A schema before pg_catalog in the search path has a function of the same name."""
    pair = databases.pair(
        """
        CREATE SCHEMA hostile;
        CREATE FUNCTION hostile.lower(text) RETURNS text IMMUTABLE LANGUAGE sql
            AS 'SELECT NULL::text';
        CREATE TABLE t (id int PRIMARY KEY, v text);
        CREATE INDEX ON t (lower(v));
        ALTER TABLE t ADD CHECK (lower(v) <> '') NOT VALID;
        """,
        source="INSERT INTO t SELECT i, 'V' || i FROM generate_series(1, 20000) i; ANALYZE",
    )
    for database in pair:
        database.server.execute(
            "postgres", f"ALTER DATABASE {database.name} SET search_path = hostile, pg_catalog"
        )

    sync(pair)

    assert pair.target.contents() == pair.source.contents()


def test_a_schema_that_functions_need_does_not_look_changed_when_it_is_read_again(
    databases: Databases,
) -> None:
    # It is read again since the columns that follow a sub need a temporary table.
    schema = """
        CREATE FUNCTION same(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
        CREATE TYPE state AS ENUM ('new', 'old');
        CREATE TABLE users (
            id int PRIMARY KEY, email text, cognito_sub text UNIQUE, state state NOT NULL
        );
        CREATE INDEX ON users (same(id));
        CREATE TABLE cards (id int PRIMARY KEY, holder text REFERENCES users (cognito_sub));
    """
    people = "INSERT INTO users VALUES (1, 'a@shop.example', 's-1', 'new');"
    pair = databases.pair(schema, source=people + "INSERT INTO cards VALUES (1, 's-1')")

    assert sync(pair, rules=rules()).status == "synced"
    assert pair.target.rows("SELECT holder FROM cards") == [("s-1",)]
