"""Random tables with random masks: what arrives is the model of production, night after night.

`RANDOM_EXAMPLES=200 pytest …/test_random_masks.py` tries that many new ones.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sandbox.database import Database
from tests.integration.db_sync.masking import KEY, sync_masked
from tests.integration.db_sync.random_masks import (
    Rows,
    Table,
    applied,
    create,
    fill,
    masked_tables,
    masks,
    nights,
)
from tests.integration.db_sync.test_random import EXAMPLES, SETTINGS
from tests.support.databases import Databases, Pair
from tests.support.mask_model import MaskModel
from tests.support.mask_model_numbers import Type
from tests.support.shown_values import comparable, shown
from tests.support.small_limits import tuning

MODEL = MaskModel(KEY)
type Example = tuple[list[Table], tuple[list[Rows], list[Rows]], bool]


@pytest.fixture
def pair(databases: Databases) -> Pair:
    """Two empty databases, which each example refills: that is faster than creating them."""
    return databases.pair("")


@st.composite
def examples(draw: st.DrawFn) -> Example:
    tables = draw(masked_tables())
    return tables, draw(nights(tables)), draw(st.booleans())


@settings(SETTINGS, max_examples=EXAMPLES or 8)
@given(example=examples())
def test_each_night_brings_what_the_masks_make_of_production(pair: Pair, example: Example) -> None:
    tables, rows_of_nights, is_large = example
    rules = masks(tables)
    note(f"{create(tables)}; masks: {rules}")
    for database in pair:
        database.execute(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {create(tables)}")

    for rows in rows_of_nights:
        pair.source.execute(fill(tables, rows))
        sync_masked(pair, rules, tuning=tuning(is_large=is_large))
        assert contents(pair.target, tables) == expected(pair.source, tables)

    result = sync_masked(pair, rules, tuning=tuning(is_large=is_large))
    assert result.status == "unchanged"


def contents(database: Database, tables: Sequence[Table]) -> list[list[str]]:
    """Return each table's rows as sorted JSON."""
    return [_rows(database, table.name, applied(tables, table), is_masked=True) for table in tables]


def expected(source: Database, tables: Sequence[Table]) -> list[list[str]]:
    """Return the same of what the model makes of production's rows."""
    return [_rows(source, table.name, applied(tables, table), is_masked=False) for table in tables]


def _rows(
    database: Database, table: str, columns: dict[str, tuple[Type, Any]], *, is_masked: bool
) -> list[str]:
    found = []
    types = {name: of for name, (of, _) in columns.items()}
    for row in shown(database, table, types, key="ctid").values():
        for name, (of, rule) in columns.items():
            if rule and not is_masked:
                row[name] = MODEL.masked(rule, of, row[name])
            row[name] = comparable(of, row[name])
        found.append(json.dumps(row, sort_keys=True))
    return sorted(found)
