"""A deadlock of a remap and the application: the remap gives way, and begins anew."""

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.names import Name
from tests.integration.db_sync.faults import waiting_for_locks
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser
from tests.support.waiting import TIMEOUT, wait_until

# Who writes to users counts it, in a row that is locked meanwhile.
SCHEMA = """
CREATE TABLE users (id int, email text, cognito_sub text UNIQUE);
CREATE TABLE counted (writes int);
INSERT INTO counted VALUES (0);
CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN UPDATE counted SET writes = writes + 1; RETURN NULL; END';
CREATE TRIGGER count AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION count_it();
"""


def test_in_a_deadlock_the_remap_gives_way_and_then_finishes(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = make_staging("INSERT INTO users VALUES (1, 'jane@example.com', 'old')", SCHEMA)
    lock_tables = locks.lock_tables
    started: list[Future[None]] = []
    with (
        contextlib.closing(staging.database.connect()) as application,
        ThreadPoolExecutor() as pool,
    ):
        cursor = application.cursor()
        cursor.execute("SET deadlock_timeout = '1h'")  # it is not the one to be ended
        cursor.execute("UPDATE counted SET writes = 10")

        def write() -> None:
            cursor.execute("UPDATE users SET email = 'Jane@example.com'")
            application.commit()

        def lock_and_let_it_write(target: Session, tables: list[Name], mode: str) -> None:
            lock_tables(target, tables, mode)
            if not started:
                started.append(pool.submit(write))
                wait_until(lambda: waiting_for_locks(staging.database) == 1, "it waits")

        monkeypatch.setattr(locks, "lock_tables", lock_and_let_it_write)

        result = staging.remap(PoolUser("jane@example.com", "new"))

        started[0].result(TIMEOUT)
    assert result.counts == {"updated": 1}
    assert staging.database.rows("SELECT email, cognito_sub, writes FROM users, counted") == [
        ("Jane@example.com", "new", 12)
    ]
