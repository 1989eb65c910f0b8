"""README's tables agree with the code and the other pages, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from db_sync.compare.fingerprint import OLDEST_VERSION
from sandbox.postgres import available_versions
from tests.support.pages import read_page

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()
FIRST_SIGHT = README.split("## Before you decide\n")[1].split("\n## ")[0]


def answer(question: str) -> str:
    (row,) = (line for line in FIRST_SIGHT.splitlines() if line.startswith(f"| {question}"))
    return row.split(" | ")[1]


def test_the_versions_are_the_oldest_that_is_accepted_and_the_newest_that_is_tested() -> None:
    oldest, newest = map(int, re.findall(r"^(\d+) to (\d+):", answer("Which PostgreSQL?"))[0])

    assert (oldest, newest) == (OLDEST_VERSION // 10_000, max(available_versions()))


def test_what_a_night_costs_is_the_sum_in_the_guide() -> None:
    (total,) = re.findall(
        r"^\| \*\*sum\*\* \| \| \*\*(\d+)\.\d\d\*\* \|$", read_page("deployment.md"), re.MULTILINE
    )

    assert answer("What does a night cost?").startswith(f"Some ${total} a month")


def test_how_much_fits_is_calculated_from_the_measured_figures() -> None:
    page = read_page("performance.md")
    size, loaded, compared = (
        float(re.findall(pattern, page)[0])
        for pattern in (
            r"at scale 4 \((\S+) GB\)",
            r"\((\S+) s\),\s+44 MB",
            r"changed \((\S+) s\), 46 MB",
        )
    )
    documented = [int(number) for number in re.findall(r"some (\d+) GB", answer("How large"))]

    assert documented[:2] == [round(870 * size / compared, -2), round(870 * size / loaded, -1)]


@pytest.mark.parametrize(
    ("row", "case"),
    [
        ("1.47 GB: first load", "initial load"),
        ("1.47 GB: 1% changed", "1% changed, recent"),
        ("1.47 GB: nothing changed", "nothing changed"),
    ],
)
def test_the_seconds_of_the_comparison_are_those_of_the_benchmark(row: str, case: str) -> None:
    (line,) = (line for line in README.splitlines() if line.startswith(f"| {row} |"))
    measured = re.findall(
        rf"^\| {case} +\| +(\S+ s) \| +\S+ s \| +(\S+ s) \|", PERFORMANCE, re.MULTILINE
    )

    _, ours, _, pgcopydb, *_ = line.split(" | ")
    assert (ours, pgcopydb) == measured[0]


def links() -> list[str]:
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    return [link for link in re.findall(r"\]\(([^)]+)\)", README) + pictures if "://" not in link]


@pytest.mark.parametrize("link", links())
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(link: str) -> None:
    file, _, heading = link.partition("#")
    page = ROOT / (file or "README.md")

    assert page.is_file()
    if heading:
        titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
        assert heading in {slug(title) for title in titles}


def slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
