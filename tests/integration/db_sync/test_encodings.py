"""Databases whose texts are not UTF-8: synced byte for byte."""

import pytest

from sandbox.database import Database
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases, Pair

# Bytes that are characters in the encoding. EUC_JP's has a wave dash, which a conversion to UTF-8
# and back changes; SQL_ASCII's are no characters at all.
TEXTS = {
    "LATIN1": b"Gr\xfc\xdfe \xa0",
    "LATIN9": b"10 \xa4 \xbd",
    "WIN1252": b"\x80 \x93quoted\x94",
    "EUC_JP": b"\xc6\xfc\xcb\xdc \xa1\xc1",
    "SQL_ASCII": b"\xff\xfe\x80 \xc3",
    "UTF8": "Grüße, 世界".encode(),
}


@pytest.fixture(params=TEXTS)
def pair(request: pytest.FixtureRequest, databases: Databases) -> Pair:
    """Two databases with the same encoding, and a text in production."""
    pair = databases.pair_in(
        request.param, "CREATE TABLE t (id int PRIMARY KEY, v text, c varchar(20))"
    )
    text = TEXTS[request.param].hex()
    value = f"convert_from('\\x{text}', '{request.param}')"
    pair.source.execute(f"INSERT INTO t SELECT n, {value}, {value} FROM generate_series(1, 300) n")
    return pair


def test_a_database_of_any_encoding_arrives_byte_for_byte(pair: Pair) -> None:
    assert sync(pair).status == "synced"
    assert raw(pair.target) == raw(pair.source)
    assert sync(pair).status == "unchanged"

    pair.source.execute("UPDATE t SET v = v || v WHERE id = 7; DELETE FROM t WHERE id = 9")
    result = sync(pair)

    assert [(table.rows_updated, table.rows_deleted) for table in result.tables] == [(1, 1)]
    assert raw(pair.target) == raw(pair.source)


def raw(database: Database) -> list[object]:
    """Return the bytes of every text, as the server stores them."""
    texts = "convert_to(v, current_setting('server_encoding'))"
    return list(database.rows(f"SELECT id, encode({texts}, 'hex'), c = v FROM t ORDER BY id"))
