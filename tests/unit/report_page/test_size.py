"""The page stays small, however many tables, notices, columns and runs there are."""

from dataclasses import replace

from common.reports.notices import Notice, Topic
from tests.support.parsed_pages import parsed
from tests.support.sample_reports import SYNC, good_night, many_tables, previous
from write_report.page.rendering import render


def size(html: str) -> int:
    return len(html.encode())


def test_a_thousand_tables_that_all_changed_take_less_than_200_kb() -> None:
    assert size(render(many_tables(1000))) < 200_000


def test_of_a_hundred_thousand_tables_a_thousand_are_named_and_the_others_counted() -> None:
    html = render(many_tables(100_000))

    assert size(html) < 200_000
    assert "99,000 more tables with fewer rows each are in db-sync.json." in parsed(html).text


def test_the_tables_with_the_most_rows_are_those_that_are_named() -> None:
    report = many_tables(1500)
    assert report.sync is not None
    largest = replace(SYNC.tables[0], table="public.largest", rows_inserted=10**9)
    sync = replace(SYNC, tables=(*report.sync.tables, largest))  # type: ignore[union-attr] # a sync

    assert "public.largest" in render(replace(report, sync=sync))


def test_of_ten_thousand_notices_a_hundred_are_shown_and_the_others_counted() -> None:
    notices = tuple(
        Notice(f"Sentence {number}.", topic)
        for number in range(5000)
        for topic in (Topic.ROWS, Topic.SCHEMA)
    )
    html = render(replace(good_night(), sync=replace(SYNC, notices=notices), remap=None))
    text = parsed(html).text

    assert size(html) < 200_000
    assert "4,900 more notices are in db-sync.json and cognito-mapping.json." in text
    assert "4,900 more differences are in db-sync.json." in text


def test_of_a_text_of_a_megabyte_the_beginning_is_shown() -> None:
    notices = (Notice("text " * 200_000, Topic.LOGINS, "mend " * 200_000),)
    html = render(replace(good_night(), sync=replace(SYNC, notices=notices)))

    assert size(html) < 100_000
    assert parsed(html).text.count("996,000 more characters") == 2


def test_of_ten_thousand_columns_some_are_named_and_the_others_counted() -> None:
    named = {f"public.t.column_{number:05}": "email, by the rule *" for number in range(10_000)}
    sync = replace(
        SYNC, masked=named, unmasked=named, left_alone=named, following=named,
        sequences=tuple(named),
    )  # fmt: skip
    html = render(replace(good_night(), sync=sync))

    assert size(html) < 250_000
    assert parsed(html).text.count("9,700 more are in db-sync.json.") == 4


def test_of_a_thousand_runs_the_last_thirty_are_shown() -> None:
    html = render(replace(good_night(), previous=previous(1000)))

    assert size(html) < 200_000
    assert "971 earlier runs of the bucket are not shown." in parsed(html).text
