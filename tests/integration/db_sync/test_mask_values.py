"""Random values of every kind of mask: what arrives is what a plain model says.

`RANDOM_EXAMPLES=200 pytest …/test_mask_values.py` tries that many new ones.
"""

import contextlib
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from psycopg2.extras import execute_values

from sandbox.database import Database
from tests.integration.db_sync.mask_values import GROUPS, Group, fitting
from tests.integration.db_sync.masking import KEY, sync_masked
from tests.integration.db_sync.test_random import EXAMPLES, SETTINGS
from tests.support.databases import Databases, Pair
from tests.support.mask_model import TEXTS, MaskModel
from tests.support.mask_model_numbers import Type
from tests.support.shown_values import comparable, shown

MODEL = MaskModel(KEY)
ROWS_OF_ARRAY = 3
INFINITE = {"NaN", "Infinity", "-Infinity", "infinity", "-infinity"}


@pytest.fixture(params=GROUPS)
def group(request: pytest.FixtureRequest) -> Group:
    return GROUPS[request.param]


@pytest.fixture
def pair(databases: Databases, group: Group) -> Pair:
    columns = ", ".join(f"{name} {sort}" for name, (sort, _, _) in group.columns().items())
    return databases.pair(
        f"CREATE DOMAIN shorter AS varchar(9); CREATE TABLE t (id int PRIMARY KEY, {columns})"
    )


@settings(SETTINGS, max_examples=EXAMPLES or 3, phases=[Phase.generate])
@given(data=st.data())
def test_what_arrives_is_what_the_model_makes_of_it(
    pair: Pair, group: Group, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.none() | group.values, min_size=5, max_size=40))
    fill(pair.source, group, values)
    columns = group.columns()
    types = {name: of for name, (_, of, _) in columns.items()}
    masks = {f"public.t.{name}": rule for name, (_, _, rule) in columns.items()}

    sync_masked(pair, masks)

    arrived = shown(pair.target, "t", types)
    for number, row in shown(pair.source, "t", types).items():
        for name, (sort, of, rule) in columns.items():
            expected = MODEL.masked(rule, of, row[name])
            found = comparable(of, arrived[number][name])
            assert found == comparable(of, expected), (sort, rule, row[name])
            assert_bounds_hold(of, rule, row[name], arrived[number][name])


def fill(database: Database, group: Group, values: list[str | None]) -> None:
    """Insert a row for each value; an array has it and the next ones."""
    types = [of for _, of, _ in group.columns().values()]
    places = ", ".join(f"%s::{sort}" for sort, _, _ in group.columns().values())
    rows = [
        [
            number,
            *(
                _fit(of, values[number : number + ROWS_OF_ARRAY] if of.is_array else [value])
                for of in types
            ),
        ]
        for number, value in enumerate(values)
    ]
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE t")
        execute_values(cursor, "INSERT INTO t VALUES %s", rows, f"(%s, {places})")
        connection.commit()


def _fit(of: Type, values: list[str | None]) -> Any:
    found = [None if value is None else fitting(of, value) for value in values]
    return found if of.is_array else found[0]


def assert_bounds_hold(of: Type, rule: Any, old: Any, new: Any) -> None:
    """Check what the rules promise of numbers, dates and texts, without the model."""
    kind, options = (rule, {}) if isinstance(rule, str) else (rule["with"], rule)
    if old is None or kind == "null":
        assert new is None
    elif of.is_array:
        for before, after in zip(old, new, strict=True):
            assert_bounds_hold(replace(of, is_array=False), rule, before, after)
    elif old == "" and of.name in TEXTS:
        assert new == ""
    elif kind == "number" and old not in INFINITE:
        before, after = Fraction(old), Fraction(new)
        most = abs(before) * Fraction(str(options.get("within_percent", 10))) / 100
        most = Fraction(str(options.get("within", most)))
        is_binary = of.name in {"real", "double precision"}
        error = max(abs(before), abs(after)) * Fraction("1e-6") if is_binary else 0
        assert abs(after - before) <= most + error
        assert before * after > 0 or before == 0 <= after
    elif kind == "date" and old not in INFINITE:
        days = abs(int(new) - int(old)) / (1 if of.name == "date" else 86_400_000_000)
        assert 0 < days <= options.get("within_days", 30)
    elif kind == "text":
        assert [_shape(letter) for letter in new] == [_shape(letter) for letter in old]


def _shape(letter: str) -> str:
    """Return what must stay of a letter: whether it is small, a capital, a digit, or itself."""
    if not letter.isascii() or letter.islower():
        return "small"
    if letter.isupper():
        return "capital"
    return "digit" if letter.isdigit() else letter
