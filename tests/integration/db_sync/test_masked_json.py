"""JSON values whose masks have nothing to replace."""

from collections.abc import Iterator
from functools import partial

import pytest
from psycopg2 import sql

from common.masking.keys import MaskKey, hand_over
from common.postgres.database import Session, connect
from db_sync.mask.expressions import Value, masked
from db_sync.mask.kinds import MaskRule
from tests.support.databases import Databases

KEY = MaskKey("0123456789abcdef" * 4)


@pytest.fixture
def session(databases: Databases) -> Iterator[Session]:
    with connect(databases.make().address, "source", execution="test") as session:
        session.begin()
        hand_over(session, KEY, ["hash"])
        yield session


@pytest.mark.parametrize("rule", ["null", "hash", {"with": "fixed", "value": "masked"}])
@pytest.mark.parametrize("value", [None, "null", "{}", '{"b": 1}', '{"a": null}'])
def test_null_stays_null_and_a_missing_key_stays_missing(
    session: Session, rule: object, value: str | None
) -> None:
    json_rule = MaskRule.parse("column", {"with": "json", "paths": {"$.a": rule}})
    of = partial(Value, collation="C", tag="", greatest="0", most_characters=None, type="jsonb")
    cast = sql.SQL("{}::jsonb").format(sql.Literal(value))
    query = sql.SQL("SELECT ({})::text, ({})::text").format(masked(json_rule, of(cast)), cast)

    found, original = session.row(query)

    assert found == original
