"""Tables of every kind are synced, whatever the names of things are."""

import itertools

import pytest

from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

BOTH_ROLES = pytest.mark.parametrize("role", ["superuser", "owner"])

ODD = ["select", "Mixed Case", 'quo"ted', "new\nline", "100%s %(a)s", "{x} {0} {", "ü.🦉 \\", "'"]


@BOTH_ROLES
def test_names_may_hold_anything(databases: Databases, role: str) -> None:
    schema = """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'the trigger fired'; END $$;
        """
    source = target = ""
    for odd in ODD:
        name, child = quoted(odd), quoted(odd + " child")
        schema += f"""
            CREATE TYPE {quoted(odd + " type")} AS ENUM ('a', 'b');
            CREATE TABLE {name} ({name} int PRIMARY KEY, other {quoted(odd + " type")},
                n int CONSTRAINT {quoted(odd + " unique")} UNIQUE);
            CREATE TABLE {child} (id serial PRIMARY KEY, {name} int,
                CONSTRAINT {name} FOREIGN KEY ({name}) REFERENCES {name} ({name}));
            COMMENT ON CONSTRAINT {name} ON {child} IS 'a comment';
            CREATE TRIGGER {name} BEFORE DELETE ON {name}
                FOR EACH ROW EXECUTE FUNCTION refuse();
            CREATE RULE {name} AS ON DELETE TO {child} DO INSTEAD NOTHING;
            """
        source += f"""
            INSERT INTO {name} VALUES (1, 'a', 1), (2, 'b', 2);
            INSERT INTO {child} ({name}) VALUES (1);
            """
        target += f"""
            INSERT INTO {name} VALUES (1, 'b', 2), (3, 'b', 1);
            INSERT INTO {child} VALUES (2, 3);
            """
    pair = databases.pair(schema, source, target)
    address = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    result = sync(pair, target=address)

    assert len(result.sequences) == len(ODD)
    for odd in ODD:
        for table in (quoted(odd), quoted(odd + " child")):
            assert pair.target.rows(f"TABLE {table}") == pair.source.rows(f"TABLE {table}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@BOTH_ROLES
def test_tables_of_one_name_in_two_schemas_are_distinguished(
    databases: Databases, role: str
) -> None:
    schema = """
        CREATE SCHEMA "Sales";
        CREATE TYPE "Sales".mood AS ENUM ('ok');
        CREATE TABLE t (id int PRIMARY KEY, v text);
        CREATE TABLE "Sales".t (id int PRIMARY KEY REFERENCES public.t, m "Sales".mood);
        """
    pair = databases.pair(
        schema,
        source="INSERT INTO t VALUES (1, 'a'), (2, 'b'); INSERT INTO \"Sales\".t VALUES (2, 'ok')",
        target="INSERT INTO t VALUES (3, 'a'); INSERT INTO \"Sales\".t VALUES (3, 'ok')",
    )
    target = pair.target.address
    if role == "owner":
        target = own_tables(pair, "table_owner")
        pair.target.execute(
            'ALTER SCHEMA "Sales" OWNER TO table_owner; ALTER TABLE "Sales".t OWNER TO table_owner'
        )

    sync(pair, target=target)

    assert_same(pair)


def test_tables_without_a_column_have_rows_too(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE more (); CREATE TABLE fewer (); CREATE TABLE none (); CREATE TABLE same ()"
    )
    counts = {"more": (3, 1), "fewer": (1, 2), "none": (0, 1), "same": (2, 2)}
    for table, (source, target) in counts.items():
        pair.source.execute(f"INSERT INTO {table} DEFAULT VALUES;" * source + "SELECT")
        pair.target.execute(f"INSERT INTO {table} DEFAULT VALUES;" * target)

    sync(pair)

    for table, (source, _) in counts.items():
        assert pair.target.value(f"SELECT count(*) FROM {table}") == source
    assert sync(pair).status == "unchanged"


def test_rows_that_differ_only_in_their_number_of_duplicates_are_found(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (v text, n int)",
        source="INSERT INTO t VALUES ('a', 1), ('a', 1), ('b', NULL)",
        target="INSERT INTO t VALUES ('a', 1), ('b', NULL), ('b', NULL)",
    )

    sync(pair)

    assert_same(pair)
    assert sync(pair).status == "unchanged"


@BOTH_ROLES
def test_values_can_be_swapped_under_deferrable_and_exclusion_constraints(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        """
        CREATE TABLE t (
            id int PRIMARY KEY,
            later int UNIQUE DEFERRABLE INITIALLY DEFERRED,
            now int UNIQUE DEFERRABLE,
            span int4range, EXCLUDE USING gist (span WITH &&),
            late_span int4range, EXCLUDE USING gist (late_span WITH &&) INITIALLY DEFERRED
        )
        """,
        source="INSERT INTO t SELECT i, -i, i, int4range(i, i + 1), int4range(-i, 1 - i)"
        " FROM generate_series(1, 5) i",
        target="INSERT INTO t SELECT i, i - 6, 6 - i, int4range(6 - i, 7 - i),"
        " int4range(i - 6, i - 5) FROM generate_series(1, 5) i",
    )
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    result = sync(pair, target=target)

    assert_same(pair)
    assert result.output()["rows_updated"] == 4  # the middle one is unchanged


@BOTH_ROLES
def test_unlogged_tables_are_synced_and_stay_unlogged(databases: Databases, role: str) -> None:
    pair = databases.pair(
        "CREATE UNLOGGED TABLE t (id int PRIMARY KEY, v text); CREATE UNLOGGED TABLE log (v text)",
        source="INSERT INTO t VALUES (1, 'a'), (2, 'b'); INSERT INTO log VALUES ('x')",
        target="INSERT INTO t VALUES (1, 'old'); INSERT INTO log VALUES ('y')",
    )
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target)

    assert_same(pair)


TREES = {
    "by range, in two levels": """
        CREATE TABLE t (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE y20 PARTITION OF t FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
            PARTITION BY LIST (id);
        CREATE TABLE y20_one PARTITION OF y20 FOR VALUES IN (1);
        CREATE TABLE y20_rest PARTITION OF y20 DEFAULT;
        CREATE TABLE rest PARTITION OF t DEFAULT
        """,
    "by hash": """
        CREATE TABLE t (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY HASH (id);
        CREATE TABLE h0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE h1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)
        """,
    "by expression, with columns in another order, and some dropped": """
        CREATE TABLE t (gone int, v text, at date, id int)
            PARTITION BY RANGE (extract(month FROM at));
        ALTER TABLE t DROP gone;
        CREATE TABLE part (at date, lost int, id int, v text);
        ALTER TABLE part DROP lost;
        ALTER TABLE t ATTACH PARTITION part DEFAULT;
        """,
    "not at all": "CREATE TABLE t (id int, at date, v text, PRIMARY KEY (id, at))",
}


@pytest.mark.parametrize(("here", "there"), [*itertools.pairwise([*TREES, *TREES][:5])])
def test_a_table_may_be_partitioned_differently_on_each_side(
    databases: Databases, here: str, there: str
) -> None:
    rows = "INSERT INTO t (id, at, v) SELECT i, date '2020-11-01' + {} * i, {} FROM"
    pair = Pair(databases.make(TREES[here]), databases.make(TREES[there]))
    pair.target.mark()
    pair.source.execute(rows.format(9, "'v' || i") + " generate_series(1, 12) i")
    pair.target.execute(rows.format(8, "'v' || i % 3") + " generate_series(0, 10) i")

    sync(pair)

    query = "SELECT id, at, v FROM t ORDER BY 1"
    assert pair.target.rows(query) == pair.source.rows(query)
    assert sync(pair).status == "unchanged"


def test_each_table_of_an_inheritance_tree_gets_its_own_rows(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE base (id int PRIMARY KEY, v text);
        CREATE TABLE child (PRIMARY KEY (id), own int) INHERITS (base);
        CREATE TABLE other (more text) INHERITS (base);
        CREATE TABLE grandchild () INHERITS (child, other);
        """,
        source="INSERT INTO base VALUES (1, 'b');"
        "INSERT INTO child VALUES (1, 'c', 5), (2, 'c', 6);"
        "INSERT INTO other VALUES (1, 'o', 'm'); INSERT INTO grandchild VALUES (1, 'g', 1, 'm')",
        target="INSERT INTO base VALUES (1, 'x'), (2, 'y'); INSERT INTO child VALUES (2, 'c', 7);"
        "INSERT INTO other VALUES (9, 'o', NULL); INSERT INTO grandchild VALUES (1, 'h', 1, 'm')",
    )

    result = sync(pair)

    assert_same(pair)
    assert {table.table: table.rows for table in result.tables} == {
        "public.base": 1,
        "public.child": 2,
        "public.other": 1,
        "public.grandchild": 1,
    }


def test_the_order_of_columns_and_dropped_columns_do_not_matter(databases: Databases) -> None:
    pair = Pair(
        databases.make("CREATE TABLE t (gone int, id int PRIMARY KEY, a text, b int)"),
        databases.make("CREATE TABLE t (b int, lost text, id int PRIMARY KEY, a text)"),
    )
    pair.target.mark()
    pair.source.execute("ALTER TABLE t DROP gone; INSERT INTO t VALUES (1, 'one', 10)")
    pair.source.execute("INSERT INTO t VALUES (2, 'two', 20)")
    pair.target.execute("ALTER TABLE t DROP lost; INSERT INTO t VALUES (10, 1, 'old')")

    sync(pair)

    assert pair.target.rows("TABLE t ORDER BY id") == [(10, 1, "one"), (20, 2, "two")]


def test_each_side_computes_its_generated_columns_stored_or_virtual(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE t (
            id int PRIMARY KEY, net int,
            stored int GENERATED ALWAYS AS (net * 2) STORED,
            virtual int GENERATED ALWAYS AS (net * 3) VIRTUAL
        )
        """,
        source="INSERT INTO t VALUES (1, 10), (2, 20)",
        target="INSERT INTO t VALUES (1, 11)",
    )

    sync(pair)

    assert pair.target.rows("TABLE t ORDER BY id") == [(1, 10, 20, 30), (2, 20, 40, 60)]


@BOTH_ROLES
def test_identity_columns_keep_the_sources_values(databases: Databases, role: str) -> None:
    pair = databases.pair(
        """
        CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
        CREATE TABLE by_default (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text)
        """,
        source="INSERT INTO always OVERRIDING SYSTEM VALUE VALUES (5, 'a'), (9, 'b');"
        "INSERT INTO by_default VALUES (5, 'a'), (9, 'b')",
        target="INSERT INTO always (v) VALUES ('x'), ('y')",
    )
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target)

    assert_same(pair)


def test_views_foreign_tables_temporary_tables_and_those_of_extensions_are_left_alone(
    databases: Databases,
) -> None:
    schema = """
        CREATE EXTENSION vector;
        CREATE TABLE of_extension (v int);
        ALTER EXTENSION vector ADD TABLE of_extension;
        CREATE FOREIGN DATA WRAPPER nothing;
        CREATE SERVER far FOREIGN DATA WRAPPER nothing;
        CREATE FOREIGN TABLE abroad (v int) SERVER far;
        CREATE TABLE t (id int PRIMARY KEY, v vector(2));
        CREATE VIEW seen AS SELECT * FROM t;
        """
    pair = databases.pair(
        schema,
        source="INSERT INTO of_extension VALUES (1); INSERT INTO t VALUES (1, '[0.1,-0]')",
        target="INSERT INTO of_extension VALUES (2)",
    )
    elsewhere = pair.source.connect()
    with elsewhere.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE passing (v int); INSERT INTO passing VALUES (1)")
        elsewhere.commit()

    result = sync(pair)

    elsewhere.close()
    assert [table.table for table in result.tables] == ["public.t"]
    assert pair.target.value("SELECT v::text FROM t") == "[0.1,-0]"
    assert pair.target.value("SELECT v FROM of_extension") == 2
    assert (result.warnings, result.left_alone) == ((), {})
