"""The same value has the same mask in any table, type, night, server and encoding."""

import pytest

from common.errors import SchemaMismatch
from sandbox.database import Database
from tests.integration.db_sync.masking import KEY, OTHER_KEY, sync_masked
from tests.support.databases import Databases, Pair
from tests.support.mask_model import MaskModel
from tests.support.mask_model_numbers import Type

KINDS = ("hash", "email", "phone", "name", "text", "uuid", "ip")
TEXTS = ["Ada Lovelace", "ada@x.org", "ADA@x.org ", "", "10.0.0.1", "x" * 60]
SCHEMA = "CREATE DOMAIN words AS text CHECK (VALUE <> 'none');" + ";".join(
    f"CREATE TABLE {table} (id int PRIMARY KEY, {columns})"
    for table, columns in (
        (table, ", ".join(f'"{kind}" {of}' for kind in KINDS))
        for table, of in (("a", "text"), ("b", "varchar(200)"), ("c", "words"), ("d", "char(99)"))
    )
)
ROWS = ";".join(
    f"INSERT INTO {table} VALUES ({number}, {', '.join([repr(text)] * len(KINDS))})"
    for table in "abcd"
    for number, text in enumerate(TEXTS)
)
MASKS = {f"public.*.{kind}": kind for kind in KINDS}
# What each encoding calls it in Python, and a text in it.
ENCODINGS = {
    "LATIN1": ("latin-1", "Grüße Straße 5\u00a0"),
    "WIN1252": ("cp1252", "€ “Ärger” 5"),
    "EUC_JP": ("euc_jp", "日本 Ada 5 〜"),
    "SQL_ASCII": ("ascii", b"\xff\xfe\x80 Ada \xc3 5".decode("ascii", "surrogateescape")),
}


def masked_rows(database: Database, table: str) -> list[tuple[object, ...]]:
    """Return a table's rows; a char's blanks at the end do not count."""
    columns = ", ".join(f'rtrim("{kind}"::text)' for kind in KINDS)
    return database.rows(f"SELECT id, {columns} FROM {table} WHERE id < 90 ORDER BY id")


def test_a_value_has_one_mask_in_every_table_and_type_and_every_night(
    databases: Databases,
) -> None:
    # "ADA@x.org " lacks its blank in the char, as PostgreSQL compares it.
    rows = ROWS.replace("ADA@x.org ", "ADA@x.org")
    pair = databases.pair(SCHEMA, rows)

    sync_masked(pair, MASKS)

    tonight = masked_rows(pair.target, "a")
    for table in "bcd":
        assert masked_rows(pair.target, table) == tonight
    pair.source.execute(f"INSERT INTO a SELECT id + 90, {_all_columns()} FROM a")
    pair.target.execute("TRUNCATE a")
    sync_masked(pair, MASKS)
    assert masked_rows(pair.target, "a") == tonight
    columns = f"{_all_columns()} FROM a"
    assert pair.target.value(
        f"SELECT count(*) FROM (SELECT {columns} GROUP BY {_all_columns()}) d"
    ) == len(TEXTS)


def _all_columns() -> str:
    return ", ".join(f'"{kind}"' for kind in KINDS)


def test_another_key_gives_other_masks_of_everything(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, ROWS)
    sync_masked(pair, MASKS)
    before = masked_rows(pair.target, "a")

    sync_masked(pair, MASKS, key=OTHER_KEY)

    for old, new, text in zip(before, masked_rows(pair.target, "a"), TEXTS, strict=True):
        alike = [
            kind for kind, one, other in zip(KINDS, old[1:], new[1:], strict=True) if one == other
        ]
        assert alike == (list(KINDS) if text == "" else [])


def test_servers_of_two_versions_make_the_same_masks(databases: Databases) -> None:
    numbers = (
        "CREATE TABLE n (id int PRIMARY KEY, i bigint, q numeric, f real, d date, t timestamp)"
    )
    rows = (
        "INSERT INTO n SELECT i, i * 7919, i / 7.0, i / 7.0, '2000-01-01'::date + i,"
        " '2000-01-01'::timestamp + i * interval '7919 seconds' FROM generate_series(1, 300) i"
    )
    masks = {
        **MASKS,
        **{f"public.n.{column}": "number" for column in "iqf"},
        **{f"public.n.{column}": "date" for column in "dt"},
    }
    arrived = []
    with databases.on_server_of(16) as others:
        for made in (databases, others):
            pair = made.pair(f"{SCHEMA};{numbers}", f"{ROWS};{rows}")
            sync_masked(pair, masks)
            arrived.append(
                [*masked_rows(pair.target, "a"), *pair.target.rows("TABLE n ORDER BY id")]
            )

    assert arrived[0] == arrived[1]


@pytest.fixture(params=ENCODINGS)
def encoded(request: pytest.FixtureRequest, databases: Databases) -> tuple[str, Pair]:
    """Two databases with an encoding, and a text in production."""
    pair = databases.pair_in(request.param, SCHEMA)
    codec, text = ENCODINGS[request.param]
    value = f"convert_from('\\x{text.encode(codec, 'surrogateescape').hex()}', '{request.param}')"
    for table in "abc":
        pair.source.execute(f"INSERT INTO {table} VALUES (1, {', '.join([value] * len(KINDS))})")
    return request.param, pair


def test_texts_of_any_encoding_are_masked(encoded: tuple[str, Pair]) -> None:
    encoding, pair = encoded
    codec, text = ENCODINGS[encoding]
    model = MaskModel(KEY, codec, lowers_all=False)

    sync_masked(pair, MASKS)

    expected = tuple(model.masked(kind, Type("text"), text) for kind in KINDS)
    for table in "abc":
        assert pair.target.rows(f"SELECT {_all_columns()} FROM {table}") == [expected]
    assert sync_masked(pair, MASKS).status == "unchanged"


def test_a_fixed_value_that_the_encoding_lacks_is_refused(encoded: tuple[str, Pair]) -> None:
    encoding, pair = encoded
    masks = {**MASKS, "public.a.text": {"with": "fixed", "value": "日本 😀"}}

    if encoding == "SQL_ASCII":  # which takes any bytes
        sync_masked(pair, masks)
    else:
        with pytest.raises(SchemaMismatch):
            sync_masked(pair, masks)
        assert pair.target.value("SELECT count(*) FROM a") == 0


def test_masks_do_not_depend_on_how_a_roles_settings_read_a_backslash(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, ip text, at inet, phone text)",
        source="INSERT INTO t VALUES (1, '2001:db9::1', '2001:db9::1', '1')",
    )
    masks = {
        "public.t.ip": "ip",
        "public.t.at": "ip",
        "public.t.phone": {"with": "phone", "prefix": "\\1"},
    }
    sync_masked(pair, masks)

    pair.source.server.execute(
        "postgres", f"ALTER DATABASE {pair.source.name} SET standard_conforming_strings = off"
    )

    assert sync_masked(pair, masks).status == "unchanged"
