"""The reference data and its changes: pgbench's tables, users and orders.

At scale 1 about 1.4 GB: 5,000,000 pgbench accounts, 500,000 users, 2,000,000 orders.
"""

from sandbox.database import Database
from tests.bench.servers import Servers

PGBENCH_SCALE, USERS, ORDERS = 50, 500_000, 2_000_000  # at scale 1

TABLES = """
CREATE TABLE users (
    id bigserial, email text NOT NULL, external_id uuid NOT NULL, name text NOT NULL,
    created_at timestamptz NOT NULL, profile jsonb NOT NULL
);
CREATE TABLE orders (
    id bigserial, user_id bigint NOT NULL, amount numeric(12, 2) NOT NULL,
    ordered_at timestamptz NOT NULL, note text NOT NULL, tags text[] NOT NULL
);
"""
INDEXES = """
ALTER TABLE users ADD PRIMARY KEY (id), ADD UNIQUE (external_id);
CREATE INDEX ON users (lower(email));
ALTER TABLE orders ADD PRIMARY KEY (id);
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users;
CREATE INDEX ON orders (user_id);
CREATE INDEX ON orders (ordered_at);
"""
# `i` numbers the rows; the newest tenth of the users has no orders yet and may be deleted.
ADD_USERS = """
INSERT INTO users (email, external_id, name, created_at, profile)
SELECT 'user' || i || '@example.com', gen_random_uuid(), 'Name ' || md5(i::text),
    timestamptz '2020-01-01' + i * interval '5 minutes',
    jsonb_build_object('plan', i % 4, 'logins', i % 100, 'news', i % 2 = 0, 'city', md5('c' || i))
FROM generate_series({first}, {last}) i
"""
ADD_ORDERS = """
INSERT INTO orders (user_id, amount, ordered_at, note, tags)
SELECT 1 + i::bigint * 7919 % {users_with_orders}, i % 100000 / 100.0,
    timestamptz '2020-01-01' + i * interval '1 minute',
    md5(i::text) || ' ' || md5('a' || i) || ' ' || md5('b' || i),
    ARRAY['tag' || i % 10, 'tag' || i % 7]
FROM generate_series({first}, {last}) i
"""
ADD_ACCOUNTS = """
INSERT INTO pgbench_accounts (aid, bid, abalance, filler)
SELECT i, 1, 0, 'new' FROM generate_series({first}, {last}) i
"""
# Table, key, change to a row, rows added.
GROWING = (
    ("pgbench_accounts", "aid", "abalance = abalance + 1", ADD_ACCOUNTS),
    (
        "users",
        "id",
        "profile = jsonb_set(profile, '{{logins}}', to_jsonb((profile ->> 'logins')::int + 1))",
        ADD_USERS,
    ),
    ("orders", "id", "amount = amount + 1", ADD_ORDERS),
)
ALL_TABLES = "pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history, users, orders"


def build(servers: Servers, scale: float) -> None:
    """Create the tables on both servers and fill the source's.

    Args:
        servers: both servers.
        scale: 1 is the reference.
    """
    source = servers.source
    branches = max(1, round(PGBENCH_SCALE * scale))
    source.server.run("pgbench", "-i", "-q", "-I", "dtGvp", "-s", str(branches), "bench")
    users, orders = int(USERS * scale), int(ORDERS * scale)
    source.execute(
        TABLES,
        ADD_USERS.format(first=1, last=users),
        ADD_ORDERS.format(first=1, last=orders, users_with_orders=users * 9 // 10),
        INDEXES,
        "VACUUM ANALYZE",
    )
    schema = str(servers.scratch / "schema")
    source.server.run("pg_dump", "-s", "-Fc", "-f", schema, "bench")
    servers.target.server.run("pg_restore", "-d", "bench", schema)


def settle(servers: Servers) -> None:
    """Vacuum and checkpoint, so that no measurement includes it."""
    for database in (servers.source, servers.target):
        database.execute("VACUUM ANALYZE", "CHECKPOINT")


def empty_target(servers: Servers) -> int:
    """Empty the target's tables; return 0, since the source was not changed."""
    servers.target.execute(f"TRUNCATE {ALL_TABLES}")
    return 0


def change_nothing(_: Servers) -> int:
    """Leave the source as it is; return 0."""
    return 0


def change_recent(servers: Servers) -> int:
    """Change the newest 1% of the source: update eight in ten, delete one, add one.

    Returns:
        The rows that changed.
    """
    source, changed = servers.source, 0
    with_orders = source.value("SELECT max(user_id) FROM orders")
    for table, key, change, add in GROWING:
        last = source.value(f"SELECT max({key}) FROM {table}")
        recent = last // 100
        newest = f"{key} > {last - recent} AND {key} % 10"
        changed += source.execute(
            f"DELETE FROM {table} WHERE {newest} = 0",
            f"UPDATE {table} SET {change.format()} WHERE {newest} BETWEEN 1 AND 8",
            add.format(first=last + 1, last=last + recent // 10, users_with_orders=with_orders),
        )
    return changed


def change_scattered(servers: Servers) -> int:
    """Update every thousandth row of the source; return how many changed."""
    return servers.source.execute(
        *(
            f"UPDATE {table} SET {change.format()} WHERE {key} % 1000 = 7"
            for table, key, change, _ in GROWING
        )
    )


def change_everything(servers: Servers) -> int:
    """Update every row of the source; return how many changed."""
    source = servers.source
    changed = source.execute(
        *(f"UPDATE {table} SET {change.format()}" for table, _, change, _ in GROWING),
        "UPDATE pgbench_branches SET bbalance = bbalance + 1",
        "UPDATE pgbench_tellers SET tbalance = tbalance + 1",
    )
    # Half of each file is dead rows now, which would slow down every reader.
    source.execute("VACUUM FULL")
    return changed


def version(database: Database) -> str:
    """Return the server's version, e.g. "18.1"."""
    return str(database.value("SHOW server_version")).split()[0]


def size(database: Database) -> int:
    """Return the database's size in bytes."""
    return int(database.value("SELECT pg_database_size(current_database())"))
