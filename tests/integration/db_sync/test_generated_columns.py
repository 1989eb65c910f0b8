"""After a sync, generated columns have the values that the target's own expressions return."""

from decimal import Decimal

import pytest

from tests.integration.db_sync.schema_pairs import make_pair
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases

BOTH_ROLES = pytest.mark.parametrize("role", ["superuser", "owner"])
# Functions find names as in the application: `rate` is not in our own search path.
GROSS = """
    CREATE FUNCTION rate() RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT 1.19';
    CREATE FUNCTION gross(net numeric) RETURNS numeric IMMUTABLE
        LANGUAGE plpgsql AS 'BEGIN RETURN net * rate(); END';
    """
REPLACED = "CREATE OR REPLACE FUNCTION rate() RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT 2'"
STALE_TABLES = f"""{GROSS}
    CREATE TABLE orders (
        id int PRIMARY KEY, low numeric,
        g numeric(9, 3) GENERATED ALWAYS AS (gross(low)) STORED
    );
    CREATE TABLE parents (
        id int PRIMARY KEY, net numeric,
        g numeric GENERATED ALWAYS AS (gross(net)) STORED UNIQUE
    );
    CREATE TABLE children (id int PRIMARY KEY REFERENCES parents);
    CREATE TABLE numbered (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text,
        g numeric GENERATED ALWAYS AS (gross(id)) STORED
    );
    CREATE TABLE of_numbered (id int PRIMARY KEY REFERENCES numbered);
    CREATE TABLE keyless (net numeric, g numeric GENERATED ALWAYS AS (gross(net)) STORED);
    CREATE TABLE parted (
        id int PRIMARY KEY, net numeric, g numeric GENERATED ALWAYS AS (gross(net)) STORED
    ) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (0) TO (50);
    CREATE TABLE part_2 PARTITION OF parted DEFAULT;
    """
STALE_ROWS = """
    INSERT INTO orders SELECT i, i FROM generate_series(1, 3000) i;
    INSERT INTO parents SELECT i, i FROM generate_series(1, 10) i;
    INSERT INTO children SELECT i FROM generate_series(1, 10) i;
    INSERT INTO numbered (v) SELECT 'v' FROM generate_series(1, 10) i;
    INSERT INTO of_numbered SELECT i FROM generate_series(1, 10) i;
    INSERT INTO keyless VALUES (1), (1), (2);
    INSERT INTO parted SELECT i, i FROM generate_series(1, 100) i;
    """
OWN_EXPRESSIONS = f"""{GROSS}
    CREATE DOMAIN price AS numeric(9, 2) CHECK (VALUE < 1000);
    CREATE TABLE t (
        id int PRIMARY KEY, net numeric, body text, words tsvector
            GENERATED ALWAYS AS (to_tsvector('english', body)) STORED,
        "100%s {{{{}}}}" varchar(20) GENERATED ALWAYS AS (body || E'\\t{{{{0}}}} %s "') STORED,
        same price GENERATED ALWAYS AS (gross(net)) STORED,
        other price GENERATED ALWAYS AS (net * {{}}) STORED,
        virtual numeric GENERATED ALWAYS AS (net * {{}}) VIRTUAL
    );
    CREATE TABLE parted (
        id int PRIMARY KEY, net int, g int GENERATED ALWAYS AS (net * 2) STORED
    ) PARTITION BY LIST (id);
    CREATE TABLE usual PARTITION OF parted DEFAULT;
    CREATE TABLE apart (
        id int PRIMARY KEY, g int GENERATED ALWAYS AS ({{}}) STORED, net int
    );
    ALTER TABLE parted ATTACH PARTITION apart FOR VALUES IN (7)
    """
OWN_ROWS = """
    INSERT INTO t SELECT i, i, 'the words' FROM generate_series(1, 10) i;
    INSERT INTO parted SELECT i, i FROM generate_series(1, 10) i
    """


@BOTH_ROLES
def test_a_stored_value_that_its_function_no_longer_returns_is_computed_again(
    databases: Databases, role: str
) -> None:
    # If the role only owns the tables, a row that others refer to is updated in place: by setting
    # what the column is computed from, which only the target may have, or no UPDATE may set.
    pair = databases.pair(STALE_TABLES, STALE_ROWS, STALE_ROWS)
    pair.target.execute(
        "ALTER TABLE parents ADD own numeric DEFAULT 3,"
        " ADD of_own numeric GENERATED ALWAYS AS (gross(own)) STORED;"
        f"{REPLACED}; UPDATE orders SET low = low WHERE id > 5;"
        "UPDATE orders SET low = 7 WHERE id = 9"
    )
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address
    stale = "SELECT count(*) FROM {} WHERE g IS DISTINCT FROM {} * 2"

    counted = sync(pair, target=target, dry_run=True)
    result = sync(pair, target=target)

    assert pair.target.value(stale.format("orders", "low")) == 0
    assert pair.target.value(stale.format("numbered", "id")) == 0
    for table in ("parents", "keyless", "parted"):
        assert pair.target.value(stale.format(table, "net")) == 0, table
    assert pair.target.value("SELECT count(*) FROM parents WHERE of_own = 6") == 10
    written = {table.table: table.rows_updated for table in result.tables}
    assert written["public.orders"] == 6  # five of them stale
    assert {table.table: table.rows_updated for table in counted.tables} == written
    assert (counted.warnings, len(result.warnings)) == (result.warnings, 5)
    assert sync(pair, target=target).status == "unchanged"


def test_each_side_uses_its_own_expressions_and_a_warning_names_columns_where_they_differ(
    databases: Databases,
) -> None:
    pair = make_pair(
        databases,
        OWN_EXPRESSIONS.format("1.9", "1.9", "net * 2"),
        OWN_EXPRESSIONS.format("1.6", "1.6", "net * 3"),
        OWN_ROWS,
        OWN_ROWS,
    )

    first = sync(pair)

    assert first.status == "unchanged"
    assert first.warnings == tuple(
        f"Column public.{column} is generated by different expressions in source and target;"
        " its values are those of the target's."
        for column in ("parted.g", "t.other", "t.virtual")
    )
    pair.source.execute("UPDATE t SET net = 10 WHERE id < 3; UPDATE parted SET net = 20")
    assert sync(pair).warnings == first.warnings
    assert pair.target.rows("SELECT same, other, virtual FROM t WHERE id = 1") == [
        (Decimal("11.90"), Decimal("16.00"), Decimal("16.0"))
    ]
    assert pair.target.rows("SELECT g FROM parted WHERE id IN (6, 7) ORDER BY id") == [(40,), (60,)]
    assert sync(pair).status == "unchanged"


def test_a_warning_says_that_a_function_is_not_immutable_if_its_values_change_at_each_sync(
    databases: Databases,
) -> None:
    schema = """
        CREATE FUNCTION chance() RETURNS float IMMUTABLE
            LANGUAGE plpgsql AS 'BEGIN RETURN random(); END';
        CREATE TABLE t (id int PRIMARY KEY, g float GENERATED ALWAYS AS (chance() + id) STORED)
        """
    rows = "INSERT INTO t VALUES (1), (2)"
    pair = databases.pair(schema, rows, rows)

    result = sync(pair)

    (warning,) = result.warnings
    assert "2 rows of public.t" in warning
    assert "not as immutable as it says" in warning
    assert result.verified
