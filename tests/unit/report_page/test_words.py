"""Numbers, durations and moments read as a person writes them."""

import pytest

from write_report.words import counted, duration, listed, moment, number


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (72, "1 min 12 s"),
        (3599.6, "1 h 00 min"),
        (7 * 3600 + 5 * 60, "7 h 05 min"),
        (-3, "0.0 s"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_moment_is_told_in_utc_whatever_its_zone() -> None:
    assert moment("2026-11-27T04:00:12+01:00") == "27 Nov 2026 03:00:12 UTC"
    assert moment("2026-11-27T03:00:12.987Z") == "27 Nov 2026 03:00:12 UTC"
    assert moment("2026-11-07T03:00:12") == "7 Nov 2026 03:00:12 UTC"


def test_what_is_no_moment_stays_as_it_is() -> None:
    assert moment("") == ""
    assert moment("last night") == "last night"


def test_numbers_have_separators_and_nouns() -> None:
    assert number(1_234_567) == "1,234,567"
    assert counted(1, "row") == "1 row"
    assert counted(2000, "row") == "2,000 rows"
    assert counted(2, "person", "people") == "2 people"


def test_a_list_ends_in_and() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
