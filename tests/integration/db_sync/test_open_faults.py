"""Faults that a sync does not stand yet."""

import contextlib
import threading

import psycopg2
import pytest

from common import locks
from common.database import CONNECTION_PARAMETERS
from common.errors import DatabaseUnavailable, TargetBusy
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.databases import Databases
from tests.integration.db_sync.faults import at_first, either_role, target_as
from tests.integration.db_sync.proxy import Proxy

AT_ONCE = "SET lock_timeout = '10ms';"


@either_role
def test_the_application_cannot_delete_a_parent_whose_new_child_the_sync_writes(
    databases: Databases, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_WAIT", 0.5)
    pair = databases.pair(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
        source="INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 2)",
        target="INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (2, 2)",
    )
    rules = SyncRules.parse('{"exclude": ["public.parent"]}')
    with contextlib.closing(pair.target.connect()) as application:

        def delete() -> None:
            with contextlib.suppress(psycopg2.errors.LockNotAvailable):
                application.cursor().execute(AT_ONCE + "DELETE FROM parent WHERE id = 1")

        options = SyncOptions("test", rules, progress=at_first(delete))
        with contextlib.suppress(TargetBusy):  # the deletion came first
            sync_database(pair.source.address, target_as(pair, role), options)
        application.commit()

    orphans = "SELECT count(*) FROM child WHERE parent_id NOT IN (SELECT id FROM parent)"
    assert pair.target.value(orphans) == 0


@either_role
def test_readers_see_the_old_rows_without_waiting_where_foreign_keys_are(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent)",
        source="INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 2)",
        target="INSERT INTO parent VALUES (1), (3); INSERT INTO child VALUES (3, 3)",
    )
    seen: list[list[tuple[int]]] = []

    def read(_phase: str, _done: int, _total: int) -> None:
        seen.append(
            pair.target.rows(
                AT_ONCE + "SELECT parent_id FROM child JOIN parent ON parent.id = parent_id"
            )
        )

    sync_database(pair.source.address, target_as(pair, role), SyncOptions("test", progress=read))

    assert len(seen) >= 6
    assert all(rows == [(3,)] for rows in seen)


def test_a_target_that_falls_silent_while_rows_are_sent_is_given_up(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keepalives are not sent while data waits for an answer, so that they do not notice.
    assert 0 < int(CONNECTION_PARAMETERS["tcp_user_timeout"]) <= 300_000
    monkeypatch.setitem(CONNECTION_PARAMETERS, "tcp_user_timeout", "1000")
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)")
    # More than the proxy and the kernel take before the sender has to wait.
    pair.source.execute(
        "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i"
    )
    heard = threading.Event()
    passed = 0

    def fall_silent(from_client: bool, data: bytes) -> bool:
        nonlocal passed
        passed += len(data) if from_client else 0
        return passed > 100_000 and heard.wait()

    with Proxy(pair.target, fall_silent) as proxy:
        with pytest.raises(DatabaseUnavailable, match="the target database"):
            sync_database(
                pair.source.address, proxy.before(pair.target.address), SyncOptions("test")
            )
        heard.set()

    assert pair.target.rows("TABLE t") == []
