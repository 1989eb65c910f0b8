"""A sync in parts by several processes: the end state is the snapshot, as after a sync in one."""

from db_sync.parts.jobs import sync_in_parts
from db_sync.result import SyncResult
from db_sync.rules import SyncRules
from db_sync.run import SyncOptions
from db_sync.tuning import Rates, Tuning
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair

# So slow that tables of some thousand rows are divided.
SLOW = Tuning(rates=Rates(compare=500_000, write=100_000))

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
"""
ROWS = """
INSERT INTO people SELECT i, 'user' || i || '@example.com' FROM generate_series(1, 2000) i;
-- Half of the keys are far away from the others.
INSERT INTO orders
SELECT CASE WHEN i % 2 = 0 THEN i ELSE i::bigint * 1000000 END, i % 2000 + 1, md5(i::text)
FROM generate_series(1, 8000) i;
INSERT INTO lines SELECT o.id, n, n * 1.10 FROM orders o, generate_series(1, 3) n;
INSERT INTO tokens SELECT md5(i::text)::uuid, 'label ' || i FROM generate_series(1, 5000) i;
INSERT INTO words SELECT chr(33 + i % 90) || 'Wört' || i, md5(i::text)
FROM generate_series(1, 5000) i;
INSERT INTO events SELECT now() - i * interval '1 minute', 'event ' || i
FROM generate_series(1, 500) i;
ANALYZE;
"""


def sync_divided(pair: Pair, rules: SyncRules | None = None, jobs: int = 2) -> SyncResult:
    options = SyncOptions("test", rules or SyncRules(), tuning=SLOW)
    return sync_in_parts(pair.source.address, pair.target.address, options, jobs)


def test_a_first_load_in_parts_arrives_identical(databases: Databases) -> None:
    pair = databases.pair(SHOP)
    pair.source.execute(ROWS)
    result = sync_divided(pair)
    assert_same(pair)
    assert (result.status, result.verified, result.atomic) == ("synced", True, False)
    assert {table.table: table.rows_inserted for table in result.tables} == {
        "public.people": 2000,
        "public.orders": 8000,
        "public.lines": 24000,
        "public.tokens": 5000,
        "public.words": 5000,
        "public.events": 500,
    }
