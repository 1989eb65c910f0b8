"""The advice about an error agrees with docs/operations.md."""

import pytest

from common.errors import StagingSyncError
from tests.support.pages import headings, read_page
from write_report.advice import ADVICE, UNKNOWN, Then, advise
from write_report.model import Status

PAGE = read_page("operations.md")
CLASSES: list[type[Exception]] = [StagingSyncError, *StagingSyncError.__subclasses__()]
ERRORS = [error.__name__ for error in CLASSES]


def section(heading: str) -> str:
    (_, text) = PAGE.split(f"\n### {heading}\n")
    return text.split("\n### ")[0].split("\n## ")[0]


@pytest.mark.parametrize("error", ERRORS)
def test_there_is_advice_about_every_error(error: str) -> None:
    advice = advise(Status.FAILED, error)

    assert advice is not None
    assert advice.section == error


def test_every_section_that_is_named_is_there() -> None:
    assert {*ADVICE, UNKNOWN.section} <= set(headings(PAGE))


@pytest.mark.parametrize("name", ADVICE)
def test_staging_is_clean_where_the_page_says_so(name: str) -> None:
    assert ADVICE[name].is_clean == ("Old or new, never half" not in section(name))


@pytest.mark.parametrize("name", [name for name in ADVICE if ADVICE[name].then is Then.REDRIVE])
def test_where_a_redrive_is_proposed_the_page_proposes_it_too(name: str) -> None:
    assert "redrive" in section(name).lower()


@pytest.mark.parametrize("name", [name for name in ADVICE if ADVICE[name].then is Then.START])
def test_where_a_new_execution_is_proposed_the_page_proposes_none_to_be_redriven(name: str) -> None:
    assert "redrive-execution" not in section(name)
