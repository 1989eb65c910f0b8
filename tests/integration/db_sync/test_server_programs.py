"""What depends on how a server was built: libxml, ICU's collations, its version."""

from collections.abc import Iterator

import pytest

from common.errors import SchemaMismatch
from sandbox.postgres import temporary_server
from sandbox.processes import SandboxError
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

# Strings that differ only in case are equal.
CASELESS = """
CREATE COLLATION caseless
    (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
"""
EVERY_TYPE = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, y text);
CREATE TABLE t (
    id bigint PRIMARY KEY, words text, c char(5), n numeric, f float8, r real, b bytea, u uuid,
    at timestamptz, day date, span interval, m mood, p pair, a numeric[], j jsonb, k json,
    ranges int4multirange, found tsvector, net inet, money money, bits bit varying
);
-- Its rows are copied in binary form.
CREATE TABLE compact (LIKE t);
ALTER TABLE compact DROP p, ADD PRIMARY KEY (id), ADD spans numrange, ADD query tsquery,
    ADD place polygon, ADD mac macaddr8, ADD net_of cidr, ADD at_lsn pg_lsn, ADD one "char",
    ADD called name
"""
EVERY_ROW = r"""
INSERT INTO t
SELECT i, E'Grüße, \t 世界 \\' || i, 'c', i * 1.50, i / 7.0::float8, i * 1e-30, '\x00ff',
    '00000000-0000-0000-0000-000000000001', timestamptz '0044-03-15 BC' + i * interval '1 day',
    'infinity', '1 month 30 days', 'ok', ROW(i, 'a,"b')::pair, '[0:1]={1.0,NULL}', '{"a": [1.00]}',
    '{"a":  1}', '{[1,3),[5,7)}', 'fat:1A cat:2', '::1/64', 12.34, B'101'
FROM generate_series(1, 200) i;
INSERT INTO compact
SELECT
    id, words, c, n, f, r, b, u, at, day, span, m, a, j, k, ranges, found, net, money, bits,
    '[1.0,1.50)', 'fat & !cat', '((0,0.1),(1,1))', '08:00:2b:01:02:03:04:05', '::/64',
    '16/B374D848', 'x', 'name'
FROM t
"""


@pytest.fixture(scope="module")
def others(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Databases on a server of another version that the wheel contains."""
    with request.getfixturevalue("database_templates").on_server_of(16) as made:
        yield made


def test_xml_is_copied_and_compared_by_its_exact_text(system_databases: Databases) -> None:
    pair = system_databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, x xml)",
        source=r"""
        INSERT INTO t VALUES
            (1, '<a/>'), (2, 'no <b>document</b> '), (3, ''), (4, NULL), (5, '<e/>'),
            (6, E'<!-- -->\n<a b="&lt;">\t<![CDATA[<x>]]>ü&#233;</a>'),
            (7, '<!DOCTYPE a [<!ELEMENT a ANY>]><a/>'), (8, '<?xml version="1.1"?><a/>')
        """,
        target="INSERT INTO t VALUES (1, '<a></a>'), (3, NULL), (4, ''), (5, '<e/>')",
    )

    result = sync(pair)

    assert_same(pair)
    assert (result.output()["rows_updated"], result.output()["rows_inserted"]) == (3, 4)
    assert sync(pair).status == "unchanged"


def test_citext_is_copied_and_compared_by_its_exact_text(system_databases: Databases) -> None:
    pair = system_databases.pair(
        "CREATE EXTENSION citext; CREATE TABLE t (name citext PRIMARY KEY, v citext)",
        source="INSERT INTO t VALUES ('Ana', 'X'), ('bo', 'x'), ('cy', 'same'), ('dee', 'new')",
        target="INSERT INTO t VALUES ('ana', 'X'), ('bo', 'X'), ('cy', 'same'), ('eve', 'old')",
    )

    result = sync(pair)

    assert_same(pair)
    assert (result.output()["rows_updated"], result.output()["rows_inserted"]) == (2, 1)
    assert sync(pair).status == "unchanged"


def test_strings_that_are_equal_only_in_their_collation_are_different(
    system_databases: Databases,
) -> None:
    pair = system_databases.pair(
        f"{CASELESS} CREATE TABLE t (id int PRIMARY KEY, v text COLLATE caseless,"
        " once text COLLATE caseless UNIQUE)",
        source="INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')",
        target="INSERT INTO t VALUES (1, 'A', 'x'), (2, 'b', 'Z'), (3, 'c', 'Y')",
    )

    result = sync(pair)

    assert_same(pair)
    assert result.output()["rows_updated"] == 3
    assert sync(pair).status == "unchanged"


@pytest.mark.parametrize("rows", [10, 1000])
def test_a_key_under_a_nondeterministic_collation_follows_the_source(
    system_databases: Databases, rows: int
) -> None:
    same = f"""
        INSERT INTO t SELECT 'Key ' || i, i FROM generate_series(1, {rows}) i;
        INSERT INTO c SELECT i, 'key ' || i FROM generate_series(1, {rows}) i;
        ANALYZE
        """
    pair = system_databases.pair(
        f"{CASELESS} CREATE TABLE t (id text COLLATE caseless PRIMARY KEY, v int);"
        "CREATE TABLE c (id int PRIMARY KEY, t_id text COLLATE caseless REFERENCES t)",
        source=same,
        target=same,
    )
    pair.source.execute(
        "UPDATE t SET id = upper(id) WHERE v IN (3, 7); UPDATE t SET v = 0 WHERE v = 8;"
        "UPDATE c SET t_id = 'KEY 5' WHERE id = 5; DELETE FROM c WHERE id = 10;"
        "DELETE FROM t WHERE v = 10; INSERT INTO t VALUES ('kEy 0', 0)"
    )

    result = sync(pair)

    assert_same(pair)
    counts = {
        table.table: (table.rows_inserted, table.rows_updated, table.rows_deleted)
        for table in result.tables
    }
    assert counts == {"public.t": (1, 3, 1), "public.c": (0, 1, 1)}
    assert sync(pair).status == "unchanged"


def test_keys_that_are_equal_only_in_the_targets_collation_are_refused(
    system_databases: Databases,
) -> None:
    pair = Pair(
        system_databases.make(
            "CREATE TABLE t (id text PRIMARY KEY, v int)", "INSERT INTO t VALUES ('a', 1), ('A', 2)"
        ),
        system_databases.make(
            f"{CASELESS} CREATE TABLE t (id text COLLATE caseless PRIMARY KEY, v int)",
            "INSERT INTO t VALUES ('A', 0)",
        ),
    )
    pair.target.mark()

    with pytest.raises(SchemaMismatch, match=r"table public\.t, constraint t_pkey"):
        sync(pair)

    assert pair.target.rows("TABLE t") == [("A", 0)]


@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize("version", [16, 18])
def test_the_systems_version_and_another_sync_with_each_other(
    databases: Databases,
    others: Databases,
    system_databases: Databases,
    version: int,
    direction: str,
) -> None:
    other = (databases if version == 18 else others).make(EVERY_TYPE, EVERY_ROW)
    own = system_databases.make(EVERY_TYPE, EVERY_ROW)
    pair = Pair(other, own) if direction == "from" else Pair(own, other)
    pair.target.mark()
    pair.source.execute("ANALYZE; UPDATE t SET n = 1.500, a = '{1.0,NULL}' WHERE id = 1")
    pair.source.execute("INSERT INTO t (id) VALUES (201); DELETE FROM t WHERE id = 7")
    pair.target.execute("TRUNCATE compact")

    result = sync(pair)

    assert_same(pair)
    (table,) = [each for each in result.tables if each.table == "public.t"]
    assert (table.rows_inserted, table.rows_updated, table.rows_deleted) == (1, 1, 1)
    assert table.ranges_changed < table.ranges
    assert sync(pair).status == "unchanged"


def test_a_server_that_does_not_start_says_why() -> None:
    with (
        pytest.raises(SandboxError, match='invalid value for parameter "shared_buffers"'),
        temporary_server(settings={"shared_buffers": "much"}),
    ):
        pass
