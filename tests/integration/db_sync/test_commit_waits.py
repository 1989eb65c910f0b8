"""A commit that waits for a synchronous standby that does not answer."""

import threading

from common.postgres.commits import commit
from common.postgres.database import connect
from common.postgres.waits import Waits
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair
from tests.support.waiting import wait_until

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY)"
SETTING = "SHOW synchronous_standby_names"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def set_standby(pair: Pair, name: str) -> None:
    connection = pair.target.connect()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = %s", [name])
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()


def test_a_commit_that_waits_for_a_synchronous_standby_says_so(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, source="INSERT INTO t VALUES (1)")
    told: list[tuple[str, str]] = []

    def report(role: str, why: str) -> None:
        told.append((role, why))
        set_standby(pair, "")

    pair.target.execute(f"ALTER DATABASE {pair.target.name} SET synchronous_commit = on")
    other = threading.Thread(target=pair.target.execute, args=["CREATE TABLE x ()"])
    set_standby(pair, "gone")
    try:
        wait_until(lambda: pair.target.value(SETTING) == "gone", "the server has read it")
        other.start()
        wait_until(lambda: pair.target.value(WAITS) == 1, "another commit waits")

        waits = Waits(commit_notice=0.3, report=report)
        result = sync_database(
            pair.source.address, pair.target.address, SyncOptions("test", waits=waits)
        )
    finally:
        set_standby(pair, "")
        other.join()

    assert result.status == "synced"
    ((role, why),) = told
    assert role == "target"
    assert "waits for a synchronous standby" in why
    assert "synchronous_standby_names = 'gone'" in why
    assert "committed on the primary" in why
    pair.target.execute("DROP TABLE x")
    assert_same(pair)


def test_a_commit_that_is_slow_for_another_reason_is_not_reported_as_committed(
    databases: Databases,
) -> None:
    there = databases.make(
        f"""
        {SCHEMA};
        CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION waits()
        """
    )
    told: list[str] = []
    holder = there.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1)")

    def report(_role: str, why: str) -> None:
        told.append(why)
        holder.close()

    waits = Waits(commit_notice=0.1, report=report)
    with connect(there.address, "target", execution="test", waits=waits) as session:
        session.begin()
        session.execute("INSERT INTO public.t VALUES (1)")
        commit(session)

    assert told == ["The commit of the target database takes long."]
