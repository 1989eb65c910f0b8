"""Materialized views follow the tables that they read."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.errors import OutOfTime
from common.postgres.deadline import Deadline
from tests.integration.db_sync.faults import held, waiting_for_locks
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases
from tests.support.waiting import wait_until

VIEWS = """
CREATE TABLE t (id int PRIMARY KEY, v int);
CREATE TABLE other (id int PRIMARY KEY);
CREATE MATERIALIZED VIEW b_total AS SELECT sum(v) AS total FROM t;
CREATE VIEW between_them AS SELECT total * 2 AS doubled FROM b_total;
CREATE MATERIALIZED VIEW a_doubled AS SELECT doubled FROM between_them;
CREATE MATERIALIZED VIEW unpopulated AS SELECT * FROM t WITH NO DATA;
CREATE MATERIALIZED VIEW apart AS SELECT count(*) AS n, now() AS at FROM other
"""


def test_they_are_refreshed_after_those_that_they_read(
    databases: Databases,
) -> None:
    pair = databases.pair(VIEWS, source="INSERT INTO t SELECT i, i FROM generate_series(1, 10) i")
    made = pair.target.value("SELECT at FROM apart")

    result = sync(pair)

    assert pair.target.rows("SELECT total, doubled FROM b_total, a_doubled") == [(55, 110)]
    assert result.warnings == ()
    assert not pair.target.value("SELECT relispopulated FROM pg_class WHERE relname='unpopulated'")
    assert pair.target.value("SELECT at FROM apart") == made


def test_one_that_fails_is_a_warning_and_left_as_it_was(databases: Databases) -> None:
    schema = """
        CREATE TABLE t (id int PRIMARY KEY, v int);
        CREATE MATERIALIZED VIEW inverse AS SELECT 1 / v AS inverse FROM t
        """
    pair = databases.pair(schema, source="INSERT INTO t VALUES (1, 0)")

    result = sync(pair)

    assert pair.target.value("SELECT count(*) FROM t") == 1
    assert pair.target.value("SELECT count(*) FROM inverse") == 0
    (warning,) = result.warnings
    assert "public.inverse was not refreshed" in warning


def test_one_that_the_role_does_not_own_is_a_warning(databases: Databases) -> None:
    pair = databases.pair(VIEWS, source="INSERT INTO t VALUES (1, 1)")

    result = sync(pair, target=own_tables(pair, "table_owner"))

    assert result.status == "synced"
    assert len(result.warnings) == 2


def test_slow_views_do_not_exceed_the_deadline(databases: Databases) -> None:
    view = "CREATE MATERIALIZED VIEW {} AS SELECT pg_sleep(20)::text FROM t;"
    pair = databases.pair("CREATE TABLE t (v int);" + view.format("one") + view.format("two"))
    pair.source.execute("INSERT INTO t VALUES (1)")

    with pytest.raises(OutOfTime):
        sync(pair, deadline=Deadline(time.monotonic() + 3))

    assert pair.target.value("SELECT count(*) FROM t") == 0


def test_a_refresh_that_waits_for_a_long_reader_does_not_block_other_readers(
    databases: Databases,
) -> None:
    view = "CREATE MATERIALIZED VIEW total AS SELECT sum(v) AS total FROM t"
    pair = databases.pair(f"CREATE TABLE t (v int); {view}", source="INSERT INTO t VALUES (7)")

    with ThreadPoolExecutor(1) as threads:
        with held(pair.target, "SELECT total FROM total"):
            syncing = threads.submit(sync, pair)
            for _ in range(3):
                wait_until(lambda: waiting_for_locks(pair.target), "the refresh waits")
                # Far longer than one attempt to lock the view, and far shorter than all of them.
                pair.target.execute("SET statement_timeout = '5s'; SELECT total FROM total")
        result = syncing.result()

    assert result.warnings == ()
    assert pair.target.value("SELECT total FROM total") == 7


def test_those_whose_tables_the_catalog_does_not_show_are_refreshed_if_anything_changed(
    databases: Databases,
) -> None:
    # Names are qualified, since from PostgreSQL 17 on REFRESH would not find them otherwise. In
    # alphabetical order the views would be refreshed before those that they read.
    schema = """
        CREATE TABLE t (id int PRIMARY KEY, words tsvector);
        CREATE TABLE ancestor (id int);
        CREATE TABLE parent () INHERITS (ancestor);
        CREATE TABLE child () INHERITS (parent);
        CREATE TABLE parted (id int) PARTITION BY LIST (id);
        CREATE TABLE branch PARTITION OF parted DEFAULT PARTITION BY LIST (id);
        CREATE TABLE leaf PARTITION OF branch DEFAULT;
        CREATE TABLE apart (id int);
        CREATE FUNCTION count_t() RETURNS bigint LANGUAGE plpgsql AS
            'BEGIN RETURN (SELECT count(*) FROM public.t); END';
        CREATE FUNCTION plus(int, int) RETURNS bigint LANGUAGE sql AS
            'SELECT $1 + $2 + count(*) FROM public.t';
        CREATE OPERATOR |+| (FUNCTION = plus, LEFTARG = int, RIGHTARG = int);
        CREATE FUNCTION add(bigint, int) RETURNS bigint LANGUAGE sql AS
            'SELECT $1 + $2 * count(*) FROM public.t';
        CREATE AGGREGATE added(int) (SFUNC = add, STYPE = bigint, INITCOND = 0);
        CREATE MATERIALIZED VIEW of_words AS
            SELECT count(*) AS n FROM ts_stat('SELECT words FROM public.t');
        CREATE FUNCTION read_view() RETURNS bigint LANGUAGE sql AS 'SELECT n FROM public.of_words';
        CREATE VIEW through_function AS SELECT count_t() AS n;
        CREATE MATERIALIZED VIEW of_function AS SELECT n FROM through_function;
        CREATE MATERIALIZED VIEW after_of_words AS SELECT read_view() AS n;
        CREATE MATERIALIZED VIEW after_all AS SELECT n FROM after_of_words;
        CREATE MATERIALIZED VIEW of_operator AS SELECT 0 |+| 0 AS n;
        CREATE MATERIALIZED VIEW of_aggregate AS SELECT added(1) AS n;
        CREATE MATERIALIZED VIEW of_ancestor AS SELECT count(*) AS n FROM ancestor;
        CREATE MATERIALIZED VIEW of_leaf AS SELECT count(*) AS n FROM leaf;
        CREATE MATERIALIZED VIEW of_branch AS SELECT count(*) AS n FROM branch;
        CREATE MATERIALIZED VIEW of_nothing AS SELECT count(*) AS n, random() AS made FROM apart
        """
    rows = "INSERT INTO t VALUES (1, 'one'); INSERT INTO child VALUES (1);"
    pair = databases.pair(schema, source=f"{rows} INSERT INTO parted VALUES (1)")
    made = "SELECT made FROM of_nothing"
    before = pair.target.value(made)

    result = sync(pair)

    views = pair.target.rows("SELECT relname FROM pg_class WHERE relkind = 'm'")
    stale = {view for (view,) in views if pair.target.value(f"SELECT n FROM {view}") != 1}
    assert stale == {"of_nothing"}
    assert pair.target.value(made) == before
    assert result.warnings == ()
