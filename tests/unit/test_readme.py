"""README's table for a first decision agrees with the code and the other pages."""

import re
from pathlib import Path

from db_sync.compare.fingerprint import OLDEST_VERSION
from sandbox.postgres import available_versions
from tests.support.pages import read_page

README = (Path(__file__).parents[2] / "README.md").read_text()
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


def test_every_link_of_the_first_sight_leads_to_a_page() -> None:
    for target in re.findall(r"\]\(docs/([^)#]+)", FIRST_SIGHT):
        assert read_page(target)
