"""After a sync the target has the source's rows, whatever they are."""

import pytest

from common.errors import SchemaMismatch
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

BOOKS = """
CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL, price numeric, isbn text UNIQUE)
"""
TEN_BOOKS = """
INSERT INTO books SELECT i, 'book ' || i, i * 1.50, 'isbn ' || i FROM generate_series(1, 10) i
"""
CIRCLE = """
CREATE TABLE books (id int PRIMARY KEY, author_id int NOT NULL, sequel_of int REFERENCES books);
CREATE TABLE authors (id int PRIMARY KEY, best_book_id int REFERENCES books
    DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE books ADD CONSTRAINT written_by FOREIGN KEY (author_id) REFERENCES authors;
COMMENT ON CONSTRAINT written_by ON books IS 'who wrote it';
"""
CIRCLE_ROWS = """
BEGIN;
INSERT INTO authors SELECT i, i FROM generate_series(1, {n}) i;
INSERT INTO books SELECT i, i, nullif(i - 1, 0) FROM generate_series(1, {n}) i;
COMMIT;
"""


def test_an_empty_target_becomes_the_source(databases: Databases) -> None:
    pair = databases.pair(BOOKS, source=TEN_BOOKS)

    result = sync(pair)

    assert_same(pair)
    assert result.status == "synced"
    assert result.verified
    assert result.output()["rows_inserted"] == 10


def test_only_the_rows_that_differ_are_written_and_counted(databases: Databases) -> None:
    pair = databases.pair(BOOKS, source=TEN_BOOKS, target=TEN_BOOKS)
    pair.source.execute("UPDATE books SET title = 'new' WHERE id = 3; DELETE FROM books WHERE id=4")
    pair.source.execute("INSERT INTO books VALUES (11, 'another', 1, NULL)")
    before = dict(pair.target.rows("SELECT id, xmin::text FROM books"))

    result = sync(pair)

    assert_same(pair)
    after = dict(pair.target.rows("SELECT id, xmin::text FROM books"))
    assert {key for key in after if after[key] != before.get(key)} == {3, 11}
    (table,) = result.tables
    assert (table.rows_inserted, table.rows_updated, table.rows_deleted) == (1, 1, 1)


def test_rows_inserted_after_the_snapshot_are_left_for_the_next_sync(
    databases: Databases,
) -> None:
    pair = databases.pair(BOOKS, source=TEN_BOOKS)

    def write_to_production(phase: str, done: int, _total: int) -> None:
        if (phase, done) == ("compare", 0):
            pair.source.execute("INSERT INTO books VALUES (11, 'late', 1, NULL)")

    options = SyncOptions("test", progress=write_to_production)
    result = sync_database(pair.source.address, pair.target.address, options)

    assert result.verified
    assert pair.target.value("SELECT max(id) FROM books") == 10
    assert sync(pair).output()["rows_inserted"] == 1


def test_a_second_sync_is_unchanged(databases: Databases) -> None:
    pair = databases.pair(CIRCLE, source=CIRCLE_ROWS.format(n=50))
    sync(pair)

    result = sync(pair)

    assert result.status == "unchanged"
    assert result.output()["tables_changed"] == 0


def test_equal_values_that_are_not_identical_are_written(databases: Databases) -> None:
    schema = "CREATE TABLE t (id int PRIMARY KEY, n numeric, i interval)"
    pair = databases.pair(
        schema,
        source="INSERT INTO t VALUES (1, 1.0, '1 month')",
        target="INSERT INTO t VALUES (1, 1.00, '30 days')",
    )

    result = sync(pair)

    assert_same(pair)
    assert result.output()["rows_updated"] == 1


def test_unique_values_can_be_swapped(databases: Databases) -> None:
    pair = databases.pair(BOOKS, source=TEN_BOOKS, target=TEN_BOOKS)
    pair.source.execute(
        "UPDATE books SET isbn = NULL WHERE id = 1;"
        "UPDATE books SET isbn = 'isbn 1' WHERE id = 2;"
        "UPDATE books SET isbn = 'isbn 2' WHERE id = 1"
    )

    sync(pair)

    assert_same(pair)


@pytest.mark.parametrize("role", ["superuser", "owner"])
def test_circular_and_self_references_hold_afterwards(databases: Databases, role: str) -> None:
    pair = databases.pair(CIRCLE, source=CIRCLE_ROWS.format(n=50), target=CIRCLE_ROWS.format(n=9))
    pair.source.execute("UPDATE books SET sequel_of = NULL, author_id = 50 WHERE id < 5")
    pair.source.execute("UPDATE books SET sequel_of = 50 WHERE id = 9")
    pair.source.execute("UPDATE authors SET best_book_id = 9 WHERE id < 9")
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target)

    assert_same(pair)
    assert pair.target.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 3
    assert pair.target.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype='f'")


@pytest.mark.parametrize("role", ["superuser", "owner"])
def test_a_parent_is_replaced_without_touching_unsynced_children(
    databases: Databases, role: str
) -> None:
    schema = BOOKS + "; CREATE TABLE notes (book_id int REFERENCES books ON DELETE CASCADE)"
    pair = databases.pair(schema, source=TEN_BOOKS, target=TEN_BOOKS)
    pair.target.execute("INSERT INTO notes VALUES (1), (2)")
    pair.source.execute("UPDATE books SET title = title || '!'")
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target, rules=SyncRules.parse('{"exclude": ["public.notes"]}'))

    assert pair.target.value("SELECT count(*) FROM notes") == 2
    assert pair.target.value("SELECT count(*) FROM books WHERE title LIKE '%!'") == 10


def test_unsynced_children_that_lose_their_parent_are_a_warning(databases: Databases) -> None:
    schema = BOOKS + "; CREATE TABLE notes (book_id int REFERENCES books)"
    pair = databases.pair(schema, source=TEN_BOOKS, target=TEN_BOOKS)
    pair.target.execute("INSERT INTO notes VALUES (1), (2)")
    pair.source.execute("DELETE FROM books WHERE id = 1")

    result = sync(pair, rules=SyncRules.parse('{"exclude": ["public.notes"]}'))

    assert result.warnings == (
        "1 rows of public.notes break its foreign key notes_book_id_fkey to public.books.",
    )


def test_a_sync_is_refused_if_productions_rows_violate_a_foreign_key(databases: Databases) -> None:
    pair = databases.pair("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int)")
    pair.target.execute("ALTER TABLE b ADD CONSTRAINT b_to_a FOREIGN KEY (a_id) REFERENCES a")
    pair.source.execute("INSERT INTO b VALUES (1)")

    with pytest.raises(SchemaMismatch, match=r"1 rows of public\.b break its foreign key b_to_a"):
        sync(pair)

    assert pair.target.value("SELECT count(*) FROM b") == 0


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("state", ["ENABLE", "ENABLE ALWAYS", "ENABLE REPLICA", "DISABLE"])
def test_triggers_do_not_fire_and_keep_their_state(
    databases: Databases, role: str, state: str
) -> None:
    schema = f"""
        {BOOKS};
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'the trigger fired'; END $$;
        CREATE TRIGGER refuses BEFORE INSERT OR UPDATE OR DELETE ON books
            FOR EACH ROW EXECUTE FUNCTION refuse();
        """
    pair = databases.pair(schema)
    for database in pair:
        database.execute(f"SET session_replication_role = replica; {TEN_BOOKS}")
    pair.source.execute(
        "SET session_replication_role = replica; UPDATE books SET price = 0 WHERE id < 3;"
        "DELETE FROM books WHERE id = 7"
    )
    pair.target.execute(f"ALTER TABLE books {state} TRIGGER refuses")
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target)

    assert_same(pair)


def test_generated_and_identity_columns_are_right(databases: Databases) -> None:
    schema = """
        CREATE TABLE orders (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            net numeric NOT NULL,
            gross numeric GENERATED ALWAYS AS (net * 1.19) STORED
        )
        """
    pair = databases.pair(schema, target="INSERT INTO orders (net) VALUES (7)")
    pair.source.execute("INSERT INTO orders (net) SELECT i FROM generate_series(1, 20) i")
    pair.source.execute("DELETE FROM orders WHERE id = 5")

    sync(pair)

    assert_same(pair)
    pair.target.execute("INSERT INTO orders (net) VALUES (1)")
    assert pair.target.value("SELECT max(id) FROM orders") == 21


def test_tables_without_a_key_keep_their_duplicates(databases: Databases) -> None:
    schema = "CREATE TABLE log (line text, at int)"
    pair = databases.pair(
        schema,
        source="INSERT INTO log SELECT 'line', i % 3 FROM generate_series(1, 30) i",
        target="INSERT INTO log VALUES ('old', 1)",
    )

    result = sync(pair)

    assert_same(pair)
    assert (result.output()["rows_inserted"], result.output()["rows_deleted"]) == (30, 1)


def test_the_two_sides_may_have_different_partitions(databases: Databases) -> None:
    table = "CREATE TABLE visits (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)"
    source = databases.make(
        f"{table}; CREATE TABLE y20 PARTITION OF visits FOR VALUES FROM ('2020-01-01')"
        " TO ('2021-01-01'); CREATE TABLE y21 PARTITION OF visits DEFAULT",
        "INSERT INTO visits SELECT i, date '2020-06-01' + i FROM generate_series(1, 500) i",
    )
    target = databases.make(
        f"{table}; CREATE TABLE everything PARTITION OF visits DEFAULT",
        "INSERT INTO visits VALUES (1, '2020-06-02'), (2, '1999-01-01')",
    )
    target.mark()

    sync(pair := Pair(source, target))

    query = "SELECT id, at FROM visits ORDER BY 1"
    assert pair.target.rows(query) == pair.source.rows(query)


def test_inherited_rows_are_not_counted_twice(databases: Databases) -> None:
    schema = "CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE child () INHERITS (base)"
    pair = databases.pair(
        schema,
        source="INSERT INTO base VALUES (1), (2); INSERT INTO child VALUES (3)",
        target="INSERT INTO base VALUES (1); INSERT INTO child VALUES (4)",
    )

    sync(pair)

    assert_same(pair)


def test_awkward_names_and_values_survive(databases: Databases) -> None:
    schema = """
        CREATE SCHEMA "Sales ""EU"" all";
        CREATE TABLE "Sales ""EU"" all"."select" ("or der" int PRIMARY KEY, "%s" text, "{x}" text);
        CREATE TABLE zero ();
        """
    pair = databases.pair(
        schema,
        source=r"""
        INSERT INTO "Sales ""EU"" all"."select" VALUES
            (1, E'\\.', E'\\N'), (2, NULL, ''), (3, E'tab\t newline\n cr\r', E'b\\s "q" ''a'''),
            (4, 'Ünïcödé 🦉', '{,}');
        INSERT INTO zero DEFAULT VALUES;
        """,
        target="""INSERT INTO "Sales ""EU"" all"."select" VALUES (1, 'N', NULL), (9, 'x', 'y')""",
    )

    sync(pair)

    assert_same(pair)


def test_every_common_type_survives(databases: Databases) -> None:
    schema = """
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TYPE pair AS (x int, y text);
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TABLE t (
            id uuid PRIMARY KEY, f float8, r real, m mood, p pair, d positive, a int[][], j jsonb,
            k json, b bytea, ts timestamptz, dt date, tr tstzrange, mr int4multirange, v tsvector,
            bits bit varying, net inet, mac macaddr, c char(5), money money
        )
        """
    rows = r"""
        INSERT INTO t VALUES (
            '00000000-0000-0000-0000-000000000001', 'NaN', '-infinity', 'ok', ROW(1, 'a,"b'), 5,
            '[0:1][2:3]={{1,2},{3,NULL}}', '{"a": [1, null]}', '{"b":  1, "b": 2}', '\x00ff',
            'infinity', '-infinity', '[2020-01-01,)', '{[1,3),[5,7)}', 'fat:1A cat:2', B'101',
            '::1/64', '08:00:2b:01:02:03', 'ab', 12.34
        ), ('00000000-0000-0000-0000-000000000002', 0.1, 1e-30, NULL, NULL, NULL, '{}', 'null',
            'null', '', '2020-01-01', NULL, 'empty', '{}', '', '', NULL, NULL, '', NULL);
        """
    pair = databases.pair(schema, source=rows, target=rows)
    pair.target.execute("UPDATE t SET f = 2, k = '{}', a = '{1}', p = NULL")

    sync(pair)

    assert_same(pair)
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize("table", ["alembic_version", '"SequelizeMeta"', "schema_migrations"])
def test_a_migration_tools_table_is_left_alone(databases: Databases, table: str) -> None:
    pair = databases.pair(
        f"CREATE TABLE {table} (version text)",
        source=f"INSERT INTO {table} VALUES ('7')",
        target=f"INSERT INTO {table} VALUES ('8')",
    )

    assert sync(pair).status == "unchanged"
    assert pair.target.value(f"SELECT version FROM {table}") == "8"


def test_excluded_tables_and_tables_of_one_side_are_left_alone_and_named(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE audit_log (n int)",
        source="INSERT INTO audit_log VALUES (1); CREATE TABLE only_here (n int)",
        target="INSERT INTO audit_log VALUES (2); CREATE TABLE only_there (n int)",
    )

    result = sync(pair, rules=SyncRules.parse('{"exclude": ["public.audit_log"]}'))

    assert pair.target.value("SELECT n FROM audit_log") == 2
    assert result.left_alone.keys() == {
        "public.audit_log",
        "public.only_here",
        "public.only_there",
    }
    assert result.warnings == (
        "Table public.only_here is not synced: it exists in the source only.",
        "Table public.only_there is not synced: it exists in the target only.",
    )


def test_a_dry_run_counts_what_a_sync_writes_and_writes_nothing(databases: Databases) -> None:
    pair = databases.pair(CIRCLE, source=CIRCLE_ROWS.format(n=20), target=CIRCLE_ROWS.format(n=9))
    pair.source.execute("UPDATE books SET sequel_of = NULL WHERE id = 2")
    before = pair.target.contents()

    dry = sync(pair, dry_run=True)

    assert pair.target.contents() == before
    assert (dry.status, dry.verified) == ("dry_run", False)
    wet = sync(pair)
    counts = ("tables_changed", "rows_inserted", "rows_updated", "rows_deleted")
    assert [dry.output()[count] for count in counts] == [wet.output()[count] for count in counts]


@pytest.mark.parametrize("version", [16, 18])
def test_servers_of_two_versions_sync_with_each_other(databases: Databases, version: int) -> None:
    rows = "CREATE TABLE t (id int PRIMARY KEY, v text, n numeric); INSERT INTO t SELECT i, i, i"
    source = databases.make("", f"{rows} FROM generate_series(1, 100) i")
    with databases.on_server_of(version) as others:
        target = others.make("", f"{rows} FROM generate_series(1, 50) i")
        target.mark()
        sync(pair := Pair(source, target))
        assert pair.target.rows("TABLE t ORDER BY 1") == pair.source.rows("TABLE t ORDER BY 1")
