"""Rows that the target's schema rejects: the error names everything but the values."""

from typing import NamedTuple

import pytest

from common.errors import SchemaMismatch
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from tests.integration.db_sync.schema_pairs import make_pair
from tests.integration.db_sync.syncing import own_tables
from tests.support.databases import Databases, Pair

TEXTS = "CREATE TABLE t (id int PRIMARY KEY, v text)"
SECRET = "INSERT INTO t VALUES (1, 'secret-word')"


class Rejected(NamedTuple):
    """The source's table and rows, the target's table, a row that fits it, what must be named."""

    source: str
    target: str
    fits: str
    named: tuple[str, ...]


REJECTED = {
    "too long a text": Rejected(
        f"{TEXTS}; {SECRET}",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(3))",
        "(1, 'a')",
        ("column v", "public.t", "widen the column"),
    ),
    "too long a text in an array": Rejected(
        "CREATE TABLE t (id int PRIMARY KEY, v text[]);INSERT INTO t VALUES (1, '{secret-word}')",
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(3)[])",
        "(1, '{a}')",
        ("column v", "public.t", "widen the column"),
    ),
    "too many bits": Rejected(
        "CREATE TABLE t (id int PRIMARY KEY, v bit(8)); INSERT INTO t VALUES (1, '10011001')",
        "CREATE TABLE t (id int PRIMARY KEY, v bit varying(4))",
        "(1, '1')",
        ("column v", "public.t", "widen the column"),
    ),
    "a number out of range": Rejected(
        "CREATE TABLE t (id int PRIMARY KEY, v bigint); INSERT INTO t VALUES (1, 4711471147)",
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "(1, 1)",
        ("The table is public.t, converting v", "widen the type"),
    ),
    "too many digits": Rejected(
        "CREATE TABLE t (id int PRIMARY KEY, v numeric); INSERT INTO t VALUES (1, 4711.11)",
        "CREATE TABLE t (id int PRIMARY KEY, v numeric(4,2))",
        "(1, 1)",
        ("The table is public.t, converting v", "widen the type"),
    ),
    "no value": Rejected(
        f"{TEXTS}; INSERT INTO t VALUES (1, NULL), (2, 'secret-word')",
        "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)",
        "(1, 'a')",
        ("table public.t", "column v", "drop that NOT NULL"),
    ),
    "a check": Rejected(
        f"{TEXTS}; {SECRET}",
        "CREATE TABLE t (id int PRIMARY KEY, v text CONSTRAINT short CHECK (length(v) < 5))",
        "(1, 'a')",
        ("table public.t", "constraint short", "drop the constraint"),
    ),
    "a domain's check": Rejected(
        f"{TEXTS}; {SECRET}",
        "CREATE DOMAIN brief AS text CONSTRAINT short CHECK (length(VALUE) < 5);"
        "CREATE TABLE t (id int PRIMARY KEY, v brief)",
        "(1, 'a')",
        ("public.t", "column v", "type public.brief", "constraint short"),
    ),
    "a domain that is NOT NULL": Rejected(
        f"{TEXTS}; INSERT INTO t VALUES (1, NULL), (2, 'secret-word')",
        "CREATE DOMAIN given AS text NOT NULL; CREATE TABLE t (id int PRIMARY KEY, v given)",
        "(1, 'a')",
        ("public.t", "column v", "type public.given", "drop that NOT NULL"),
    ),
    "a unique constraint": Rejected(
        f"{TEXTS}; {SECRET}, (2, 'secret-word')",
        "CREATE TABLE t (id int PRIMARY KEY, v text CONSTRAINT once UNIQUE)",
        "(1, 'a')",
        ("table public.t", "constraint once", "drop that constraint"),
    ),
    "a unique index": Rejected(
        f"{TEXTS}; {SECRET}, (2, 'SECRET-word')",
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE UNIQUE INDEX once ON t (lower(v))",
        "(1, 'a')",
        ("table public.t", "constraint once", "drop that constraint or index"),
    ),
    "a key that the source lacks": Rejected(
        "CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'secret-word'), (1, 'b')",
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "(1, 'a')",
        ("table public.t", "constraint t_pkey", "drop that constraint"),
    ),
    "an exclusion constraint": Rejected(
        "CREATE TABLE t (id int PRIMARY KEY, v int4range);"
        "INSERT INTO t VALUES (1, '[4711,4713)'), (2, '[4712,)')",
        "CREATE TABLE t (id int PRIMARY KEY, v int4range,"
        " CONSTRAINT apart EXCLUDE USING gist (v WITH &&))",
        "(1, '[1,2)')",
        ("table public.t", "constraint apart", "drop that constraint"),
    ),
    "no partition": Rejected(
        f"{TEXTS}; INSERT INTO t VALUES (4711, 'secret-word')",
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10)",
        "(1, 'a')",
        ("table public.t", "fits no partition", "DEFAULT partition"),
    ),
    "no JSON": Rejected(
        f"{TEXTS}; {SECRET}",
        "CREATE TABLE t (id int PRIMARY KEY, v jsonb)",
        "(1, '{}')",
        ("The table is public.t, converting v", "not valid in the type"),
    ),
    "too big for an index": Rejected(
        f"{TEXTS}; INSERT INTO t SELECT 1, 'secret-word' || string_agg(md5(i::text), '')"
        " FROM generate_series(1, 300) i",
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX by_v ON t (v)",
        "(1, 'a')",
        ("The table is public.t", "drop that index"),
    ),
}


def refusal_of(pair: Pair, role: str) -> str:
    """Sync, and return the message of the refusal; the target must be unchanged."""
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address
    before = pair.target.rows("TABLE t")
    with pytest.raises(SchemaMismatch) as refusal:
        sync_database(pair.source.address, target, SyncOptions("test"))
    assert pair.target.rows("TABLE t") == before
    return str(refusal.value)


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("kind", REJECTED)
def test_a_row_that_the_target_rejects_is_located_and_not_quoted(
    databases: Databases, kind: str, role: str
) -> None:
    source, target, fits, named = REJECTED[kind]
    pair = make_pair(databases, source, target)

    replaced = refusal_of(pair, role)
    pair.target.execute(f"INSERT INTO t VALUES {fits}")
    merged = refusal_of(pair, role)

    for message in (replaced, merged):
        assert [word for word in named if word not in message] == []
        for secret in ("secret", "SECRET", "4711", "10011001"):
            assert secret not in message


@pytest.mark.parametrize("role", ["superuser", "owner"])
def test_a_row_whose_parent_production_lacks_is_refused_with_the_foreign_key(
    databases: Databases, role: str
) -> None:
    pair = databases.pair("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE t (a_id int)")
    pair.target.execute("ALTER TABLE t ADD CONSTRAINT t_to_a FOREIGN KEY (a_id) REFERENCES a")
    pair.source.execute("INSERT INTO t VALUES (4711)")

    message = refusal_of(pair, role)

    assert "public.t" in message
    assert "t_to_a" in message
    assert "4711" not in message


def test_a_value_that_looks_like_the_servers_message_is_not_mistaken_for_it(
    databases: Databases,
) -> None:
    value = 'x\nCOPY t, line 1, column secret-word: "'
    pair = databases.pair(
        'CREATE TABLE t (id int PRIMARY KEY, "a: b" text, v text)',
    )
    pair.source.execute(f"INSERT INTO t VALUES (1, '{value}', '{value}')")
    pair.target.execute('ALTER TABLE t ALTER "a: b" TYPE varchar(3)')

    message = refusal_of(pair, "superuser")

    assert "column" not in message.split("SQLSTATE")[1]
    assert "secret-word" not in message


def test_a_key_that_is_null_in_production_is_refused_with_its_column(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int);INSERT INTO t SELECT generate_series(1, 5000); ANALYZE",
        source="INSERT INTO t VALUES (NULL)",
        target="ALTER TABLE t ADD PRIMARY KEY (id)",
    )

    message = refusal_of(pair, "superuser")

    assert "has NULL in a column" in message
    assert "table public.t, column id" in message
