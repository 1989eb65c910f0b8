"""Masks depend on the key: without it they fail, and different values have different masks."""

from collections.abc import Iterator

import pytest
from psycopg2 import sql

from common.errors import StagingSyncError
from common.masking.keys import MaskKey, hand_over
from common.postgres.database import Session, connect
from db_sync.mask.expressions import Value, masked
from db_sync.mask.kinds import KEYED, MaskRule
from tests.support.databases import Databases

KEY = MaskKey("a key that is for tests and for nothing else")
MILLION = 1_000_000
# A value of a type for each kind.
KEYED_VALUES = {
    "hash": ("text", "'ada'"),
    "email": ("text", "'ada@x.org'"),
    "phone": ("text", "'030 123'"),
    "name": ("text", "'Ada'"),
    "text": ("text", "'Ada'"),
    "number": ("integer", "1000"),
    "date": ("date", "date '2000-01-01'"),
    "ip": ("inet", "inet '10.0.0.1'"),
    "uuid": ("uuid", "uuid '00000000-0000-0000-0000-000000000001'"),
}
WITHIN_JSON = [MaskRule("json", {"paths": {"$.a": kind}}) for kind in sorted(KEYED - {"date"})]


@pytest.fixture
def session(databases: Databases) -> Iterator[Session]:
    with connect(databases.make().address, "source", execution="test") as session:
        yield session


def mask_of(
    rule: MaskRule, type_: str, value: str, most_characters: int | None = None
) -> sql.Composable:
    """Return the SQL for the engine's own expression over a value."""
    of = Value(sql.SQL(value), type_, most_characters, "2147483647", "pg_c_utf8", KEY.tag)
    return masked(rule, of)


@pytest.mark.parametrize("kind", sorted(KEYED))
def test_no_mask_is_had_once_the_transaction_with_the_keys_is_over(
    session: Session, kind: str
) -> None:
    query = sql.SQL("SELECT {}").format(mask_of(MaskRule(kind), *KEYED_VALUES[kind]))
    with session.transaction():
        hand_over(session, KEY, KEYED)
        session.row(query)

    with pytest.raises(StagingSyncError), session.transaction():
        session.row(query)


@pytest.mark.parametrize("kind", sorted(KEYED))
def test_no_mask_is_had_in_a_session_that_never_had_keys(session: Session, kind: str) -> None:
    query = sql.SQL("SELECT {}").format(mask_of(MaskRule(kind), *KEYED_VALUES[kind]))

    with pytest.raises(StagingSyncError), session.transaction():
        session.row(query)


@pytest.mark.parametrize("kind", sorted(KEYED))
def test_no_mask_is_had_by_the_keys_of_other_kinds(session: Session, kind: str) -> None:
    query = sql.SQL("SELECT {}").format(mask_of(MaskRule(kind), *KEYED_VALUES[kind]))

    session.begin()
    hand_over(session, KEY, KEYED - {kind})

    with pytest.raises(StagingSyncError):
        session.row(query)


@pytest.mark.parametrize("rule", WITHIN_JSON, ids=lambda rule: rule.options["paths"]["$.a"])
@pytest.mark.parametrize("value", ["'\"ada\"'", "1000"])
def test_no_mask_within_json_is_had_without_keys(
    session: Session, rule: MaskRule, value: str
) -> None:
    json = f"pg_catalog.jsonb_build_object('a', {value}::jsonb)"
    query = sql.SQL("SELECT {}").format(mask_of(rule, "jsonb", json))

    with pytest.raises(StagingSyncError), session.transaction():
        session.row(query)


@pytest.mark.parametrize(
    ("kind", "type_", "value", "most_characters"),
    [
        # As long as a column must be for a million rows: 60 bits.
        ("hash", "text", "'value ' || i", 15),
        ("hash", "bigint", "i", None),
        ("uuid", "uuid", "lpad(to_hex(i), 32, '0')::uuid", None),
        # Two rows for each address, which differ in case only.
        ("email", "text", "(ARRAY['User', 'uSER'])[1 + mod(i, 2)] || i / 2 || '@x.org'", None),
    ],
)
def test_a_million_different_values_have_as_many_masks(
    session: Session, kind: str, type_: str, value: str, most_characters: int | None
) -> None:
    mask = mask_of(MaskRule(kind), type_, value, most_characters)
    with session.transaction():
        session.set_local(work_mem="512MB")
        hand_over(session, KEY, KEYED)
        query = sql.SQL(
            "SELECT count(*) FROM (SELECT DISTINCT {} FROM generate_series(1, {}) i) masks"
        ).format(mask, sql.Literal(MILLION))
        (masks,) = session.row(query)

    assert masks == MILLION
