"""Syncs in parts of a pair of test databases, whose tables are divided though they are small."""

from collections.abc import Callable

from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.reports.sync import SyncResult
from db_sync.parts.jobs import sync_in_parts
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.tuning import Rates, Tuning
from tests.support.databases import Pair

# So slow that tables of some thousand rows are divided.
SLOW = Tuning(rates=Rates(compare=40_000, write=20_000), part_seconds=5, whole_seconds=7)

# People have a unique constraint beside their key, events have no key.
SHOP = """
CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE orders (
    id bigint PRIMARY KEY, person bigint NOT NULL REFERENCES people, note text NOT NULL
);
CREATE TABLE lines (
    "order" bigint REFERENCES orders, line smallint, price numeric, PRIMARY KEY ("order", line)
);
CREATE TABLE tokens (token uuid PRIMARY KEY, label text NOT NULL);
CREATE TABLE words (word text PRIMARY KEY, meaning varchar(40));
CREATE TABLE events (happened timestamptz, what text);
CREATE SEQUENCE numbers OWNED BY orders.id;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM lines;
"""
# Half of the orders' keys are far away from the others.
ROWS = """
INSERT INTO people SELECT i, 'user' || i || '@example.com' FROM generate_series(1, 600) i;
INSERT INTO orders
SELECT CASE WHEN i % 2 = 0 THEN i ELSE i::bigint * 1000000 END, i % 600 + 1, md5(i::text)
FROM generate_series(1, 2400) i;
INSERT INTO lines SELECT o.id, n, n * 1.10 FROM orders o, generate_series(1, 3) n;
INSERT INTO tokens SELECT md5(i::text)::uuid, 'label ' || i FROM generate_series(1, 2400) i;
INSERT INTO words SELECT chr(33 + i % 90) || 'Wört' || i, md5(i::text)
FROM generate_series(1, 2400) i;
INSERT INTO events SELECT timestamptz '2026-01-01' - i * interval '1 minute', 'event ' || i
FROM generate_series(1, 500) i;
SELECT setval('numbers', 4711);
REFRESH MATERIALIZED VIEW totals;
ANALYZE;
"""

type Meanwhile = Callable[[int, int], None]  # called with how many pieces are done, of how many


def sync_divided(
    pair: Pair,
    *,
    rules: SyncRules | None = None,
    jobs: int = 2,
    meanwhile: Meanwhile = lambda _done, _all: None,
    tuning: Tuning = SLOW,
    target: DatabaseAddress | None = None,
    mask_key: MaskKey | None = None,
) -> SyncResult:
    """Sync in parts by several processes.

    Args:
        pair: the databases.
        rules: by default none.
        jobs: how many processes.
        meanwhile: called each time that a part or check is done.
        tuning: how long parts are.
        target: another login to the target.
        mask_key: of the masks in the rules.
    """

    def progress(phase: str, done: int, total: int) -> None:
        if phase == "parts":
            meanwhile(done, total)

    options = SyncOptions(
        "test", rules or SyncRules(), progress=progress, tuning=tuning, mask_key=mask_key
    )
    return sync_in_parts(pair.source.address, target or pair.target.address, options, jobs)


def at_the_end(act: Callable[[], object]) -> Meanwhile:
    """Return what acts once: when all parts are done for the first time, and not yet checked."""
    left = [act]

    def meanwhile(done: int, total: int) -> None:
        if left and done == total:
            left.pop()()

    return meanwhile


def at_the_beginning(act: Callable[[], object]) -> Meanwhile:
    """Return what acts once: when the snapshot is taken, and before the first part is done."""
    left = [act]

    def meanwhile(_done: int, _total: int) -> None:
        if left:
            left.pop()()

    return meanwhile
