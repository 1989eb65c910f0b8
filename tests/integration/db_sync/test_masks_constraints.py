"""CHECK and exclusion constraints, domains and partitions: a sample of masked rows is tried."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.masking import refusal, sync_masked
from tests.support.databases import Databases

ROWS = "INSERT INTO t SELECT i, 'Value' || i FROM generate_series(1, 600) i"


def test_a_check_that_masked_values_pass_is_no_obstacle(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (length(v) BETWEEN 3 AND 40),"
        " CHECK (id > 0 OR v IS NULL))",
        source=ROWS,
    )

    assert sync_masked(pair, {"public.t.v": "hash"}).status == "synced"
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    "check",
    [
        "ALTER TABLE t ADD CONSTRAINT starts_well CHECK (v LIKE 'Value%')",
        "ALTER TABLE t ADD CONSTRAINT starts_well CHECK (v LIKE 'Value%') NO INHERIT",
        "CREATE FUNCTION is_good(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS"
        " $$ SELECT $1 LIKE prefix() || '%' $$;"
        " CREATE FUNCTION prefix() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'Value' $$;"
        " ALTER TABLE t ADD CONSTRAINT starts_well CHECK (is_good(v))",
        "CREATE SCHEMA app; CREATE FUNCTION app.is_good(text) RETURNS boolean LANGUAGE plpgsql"
        " IMMUTABLE AS $$ BEGIN RETURN $1 LIKE 'Value%'; END $$;"
        " ALTER TABLE t ADD CONSTRAINT starts_well CHECK (app.is_good(v))",
    ],
)
def test_a_check_that_masked_values_break_is_refused(
    databases: Databases, check: str, *, dry_run: bool
) -> None:
    pair = databases.pair(
        f"CREATE TABLE t (id int PRIMARY KEY, v text); SET check_function_bodies = off; {check}",
        source=ROWS,
    )

    (reason,) = refusal(pair, {"public.t.v": "hash"}, dry_run=dry_run)

    assert reason.startswith("masked rows of public.t do not fit: v (hash); starts_well: CHECK")
    assert "SQLSTATE 23514" in reason


def test_a_check_that_is_not_valid_refuses_nothing(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text);"
        " ALTER TABLE t ADD CHECK (v LIKE 'Other%') NOT VALID",
        source="SET session_replication_role = replica; ALTER TABLE t DROP CONSTRAINT t_v_check;"
        f" {ROWS}",
    )

    assert sync_masked(pair, {"public.t.v": "hash"}).status == "synced"
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"


def test_a_domain_that_masked_values_break_is_refused(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE DOMAIN good AS text CONSTRAINT starts_well CHECK (VALUE LIKE 'Value%');"
        "CREATE TABLE t (id int PRIMARY KEY, v good)",
        source=ROWS,
    )

    (reason,) = refusal(pair, {"public.t.v": "hash"})

    assert reason.startswith("masked rows of public.t do not fit: v (hash)")
    assert "constraint starts_well" in reason


def test_a_domain_that_masked_values_pass_is_no_obstacle(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE DOMAIN short AS varchar(20) CHECK (length(VALUE) > 3);"
        "CREATE TABLE t (id int PRIMARY KEY, v short NOT NULL)",
        source=ROWS,
    )

    sync_masked(pair, {"public.t.v": "hash"})

    assert pair.target.value("SELECT count(*) FROM t WHERE v ~ '^[0-9a-f]{20}$'") == 600
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"


def test_a_check_of_a_domain_that_the_source_alone_has_refuses_nothing(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE DOMAIN good AS text; CREATE TABLE t (id int PRIMARY KEY, v good)",
        source=f"{ROWS}; ALTER DOMAIN good ADD CHECK (VALUE LIKE 'Value%')",
    )

    assert sync_masked(pair, {"public.t.v": "hash"}).status == "synced"
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"


def test_an_exclusion_constraint_is_tried(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v int4range,"
        " CONSTRAINT apart EXCLUDE USING gist (v WITH &&))",
        source="INSERT INTO t SELECT i, int4range(i, i + 1) FROM generate_series(1, 50) i",
    )
    shifted = "int4range(lower({column}) + 5, upper({column}) + 5)"
    constant = "CASE WHEN {column} IS NOT NULL THEN int4range(1, 9) END"

    (reason,) = refusal(pair, {"public.t.v": {"with": "sql", "expression": constant}})
    result = sync_masked(pair, {"public.t.v": {"with": "sql", "expression": shifted}})

    assert "apart: EXCLUDE USING gist (v WITH &&)" in reason
    assert result.status == "synced"
    assert pair.target.value("SELECT min(lower(v)) FROM t") == 6


def test_a_constraint_of_two_columns_is_tried_with_both_of_them_masked(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, born date, died date,"
        " CONSTRAINT lived CHECK (born < died))",
        source="INSERT INTO t SELECT i, DATE '2000-01-01' + i, DATE '2000-01-02' + i"
        " FROM generate_series(1, 100) i",
    )

    (reason,) = refusal(pair, {"public.t.born": "date", "public.t.died": "date"})

    assert "born (date), died (date); lived: CHECK ((born < died))" in reason


PARTITIONS = {
    "range": "PARTITION BY RANGE (v)",
    "range of two columns": "PARTITION BY RANGE (v, id)",
    "expression": "PARTITION BY RANGE (upper(v))",
}


@pytest.mark.parametrize("by", PARTITIONS.values(), ids=PARTITIONS.keys())
def test_masked_rows_that_fit_no_partition_are_refused(databases: Databases, by: str) -> None:
    bounds = "('V', 0) TO ('W', 0)" if "id)" in by else "('V') TO ('W')"
    pair = databases.pair(
        f"CREATE TABLE t (id int, v text) {by};"
        f" CREATE TABLE t_v PARTITION OF t FOR VALUES FROM {bounds}",
        source=ROWS,
    )

    (reason,) = refusal(pair, {"public.t.v": "hash"})

    assert reason.startswith("masked rows of public.t do not fit: v (hash); its partitions: CHECK")


def test_masked_rows_that_fit_no_partition_of_a_partition_are_refused(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int, v text) PARTITION BY RANGE (id);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000) PARTITION BY LIST (v);"
        " CREATE TABLE t_1_v PARTITION OF t_1 FOR VALUES IN ('a', 'b')",
        source="INSERT INTO t VALUES (1, 'a'), (2, 'b')",
    )

    (reason,) = refusal(pair, {"public.t.v": "hash"})

    assert reason.startswith("masked rows of public.t do not fit: v (hash); its partitions: CHECK")


def test_masked_rows_arrive_in_the_partitions_of_their_masks(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int, v text) PARTITION BY HASH (v);"
        " CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)"
        " PARTITION BY RANGE (v);"
        " CREATE TABLE t_1_low PARTITION OF t_1 FOR VALUES FROM (MINVALUE) TO ('8');"
        " CREATE TABLE t_1_high PARTITION OF t_1 DEFAULT",
        source=ROWS,
    )

    sync_masked(pair, {"public.t.v": "hash"})

    assert pair.target.value("SELECT count(*) FROM t_1_low WHERE v < '8'") > 50
    assert pair.target.value("SELECT count(*) FROM t_1_high WHERE v >= '8'") > 50
    assert pair.target.value("SELECT count(*) FROM t WHERE v ~ '^[0-9a-f]{32}$'") == 600
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"


def test_a_row_whose_mask_moves_it_to_another_partition_is_merged(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int, v bigint NOT NULL, PRIMARY KEY (id, v)) PARTITION BY HASH (v);"
        " CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        source="INSERT INTO t SELECT i, i FROM generate_series(1, 2000) i",
    )
    sync_masked(pair, {"public.t.v": "hash"})
    pair.source.execute("UPDATE t SET v = v + 5000 WHERE id <= 20")

    result = sync_masked(pair, {"public.t.v": "hash"})

    (table,) = result.tables
    assert (table.action, table.rows_inserted, table.rows_deleted) == ("merge", 20, 20)
    assert sync_masked(pair, {"public.t.v": "hash"}).status == "unchanged"


def test_a_check_of_a_partition_alone_is_tried(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int, v text) PARTITION BY RANGE (id);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (300);"
        " CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (300) TO (1000);"
        " ALTER TABLE t_2 ADD CONSTRAINT starts_well CHECK (v LIKE 'Value%')",
        source=ROWS,
    )

    (reason,) = refusal(pair, {"public.t.v": "hash"})

    assert reason.startswith("masked rows of public.t do not fit: v (hash); starts_well: CHECK")


def test_a_check_of_a_partition_that_its_masked_rows_pass_is_no_obstacle(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int, v text) PARTITION BY RANGE (id);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (300);"
        " CREATE TABLE t_rest PARTITION OF t DEFAULT;"
        " ALTER TABLE t_1 ADD CHECK (length(v) = 32); ALTER TABLE t_rest ADD CHECK (id >= 300)",
        source="ALTER TABLE t_1 DROP CONSTRAINT t_1_v_check;" + ROWS,
    )

    assert sync_masked(pair, {"public.t.v": "hash"}).status == "synced"


@pytest.mark.parametrize("condition", ["t IS NOT NULL", "tableoid = 't'::regclass"])
def test_a_check_that_names_the_table_refuses_no_rows_that_pass_it(
    databases: Databases, condition: str
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)", source=ROWS)
    pair.target.execute(f"ALTER TABLE t ADD CONSTRAINT c CHECK ({condition} AND length(v) = 32)")

    assert sync_masked(pair, {"public.t.v": "hash"}).status == "synced"


def test_a_check_on_a_generated_column_that_reads_a_masked_one_is_named(
    databases: Databases,
) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text, low text GENERATED ALWAYS AS (lower(v))"
        " STORED CONSTRAINT starts_well CHECK (low LIKE 'value%'))",
        source=ROWS,
    )

    with pytest.raises(SchemaMismatch, match="starts_well"):
        sync_masked(pair, {"public.t.v": "hash"})
