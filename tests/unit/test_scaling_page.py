"""docs/scaling.md agrees with the simulation and the code that it describes."""

import re
from typing import get_args

import pytest

from db_sync.environment import DbSyncEnvironment, InParts
from db_sync.parts.obstacles import ORDERED, TEXTS
from db_sync.parts.part import MOST_ATTEMPTS
from db_sync.parts.sizes import FIRST_LOAD
from db_sync.tuning import Tuning
from tests.bench.simulation.__main__ import as_markdown
from tests.bench.simulation.workload import CASES, Work
from tests.support.pages import read_page

PAGE = read_page("scaling.md")
GIGABYTE = 1e9
NUMBERS = {5: "five"}


@pytest.mark.parametrize("work", CASES, ids=lambda work: work.name)
def test_the_tables_are_what_the_simulation_prints(work: Work) -> None:
    shown = as_markdown(work)

    assert shown in PAGE, f"python -m tests.bench.simulation --markdown prints:\n{shown}"


def test_the_sizes_of_parts_are_those_of_the_code() -> None:
    tuning = Tuning()
    minutes = tuning.part_seconds / 60
    write, compare = (
        rate * tuning.part_seconds / GIGABYTE for rate in (tuning.rates.write, tuning.rates.compare)
    )

    assert minutes == 2
    assert "some two minutes" in PAGE
    assert f"{write:.0f} GB to write, or {compare:.0f} GB to compare" in PAGE


def test_the_largest_table_that_cannot_be_divided_is_that_of_the_code() -> None:
    tuning = Tuning()
    write, compare = (
        rate * tuning.longest_part / GIGABYTE for rate in (tuning.rates.write, tuning.rates.compare)
    )

    assert f"more than {tuning.longest_part / 60:.0f} minutes" in PAGE
    assert f"({int(write)} GB, or {int(compare)} GB, without indexes)" in PAGE


def test_the_setting_has_the_values_that_are_explained() -> None:
    (table,) = re.findall(r"^\| `in_parts` \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    explained = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)

    assert explained == list(get_args(InParts.__value__))
    assert f"| `{DbSyncEnvironment.in_parts}` (default) |" in table
    assert f"less than {FIRST_LOAD:.0%} of production's" in PAGE


def test_the_rounds_of_a_part_that_always_fails_are_those_of_the_code() -> None:
    assert f"{NUMBERS[MOST_ATTEMPTS]} rounds long" in PAGE


def test_the_types_of_keys_that_divide_a_table_are_those_of_the_code() -> None:
    types = {
        *("smallint", "integer", "bigint", "oid", "numeric", "uuid", "text", "character varying"),
        *("date", "time without time zone", "timestamp without time zone"),
        *("timestamp with time zone", "bytea"),
    }

    assert "integers, numeric, uuid, text and varchar, dates and times, bytea" in PAGE
    assert types == ORDERED | TEXTS
