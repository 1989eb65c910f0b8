"""What the page says, from the verdict at its top to the files at its end."""

import re
from dataclasses import replace

import pytest

from common.reports.notices import Topic
from common.reports.remap import RemapResult
from tests.support.parsed_pages import Parsed, shown
from tests.support.sample_failures import (
    failed_sync,
)
from tests.support.sample_reports import (
    FILES,
    NOTICES,
    REMAP,
    SYNC,
    TABLES,
    first_run,
    good_night,
    quiet_night,
    table,
    unchanged,
)
from tests.support.samples import SAMPLES
from write_report.page.attention import LABELS


def headings(page: Parsed) -> list[str]:
    return [element.text for element in page.all("h2")]


HEADLINES = {
    "good_night": "Staging equals production's snapshot of 27 Nov 2026 03:00:12 UTC",
    "quiet_night": "Staging equals production's snapshot of 27 Nov 2026 03:00:12 UTC",
    "unchanged": "Staging already equaled production's snapshot of 27 Nov 2026 03:00:12 UTC",
    "dry_run": "Dry run: nothing was written; 9 tables would change, 498,425 rows",
    "cognito_only": "People's logins are linked again; no rows were synced",
    "without_remap": "Staging equals production's snapshot of 27 Nov 2026 03:00:12 UTC",
    "failed_sync": "The sync failed; staging's rows are as they were",
    "failed_remap": "The rows equal production's snapshot of 27 Nov 2026 03:00:12 UTC, but logins"
    " were not linked again",
    "failed_listing": "The rows equal production's snapshot of 27 Nov 2026 03:00:12 UTC, but logins"
    " were not linked again",
    "killed": "The sync was cut off: staging is old or new, never half",
    "timed_out": "The sync was cut off: staging is old or new, never half",
    "aborted": "The rows equal production's snapshot of 27 Nov 2026 03:00:12 UTC, but logins were"
    " not linked again",
    "in_parts": "Staging equals production's snapshot of 27 Nov 2026 03:00:12 UTC",
    "failed_in_parts": "The sync in parts did not end: staging is partly old and partly new",
    "first_run": "Staging equals production's snapshot of 27 Nov 2026 03:00:12 UTC",
    "refused_input": "The input was refused; nothing was touched",
}


@pytest.mark.parametrize("sample", HEADLINES)
def test_the_first_heading_says_whether_staging_is_fresh(sample: str) -> None:
    (heading,) = shown(SAMPLES[sample]()).all("h1")

    assert heading.text == HEADLINES[sample]


def test_the_sections_stand_in_the_order_of_what_people_ask() -> None:
    assert headings(shown(good_night())) == [
        "What needs attention",
        "What changed",
        "How long it took",
        "What was masked",
        "How the schemas differ",
        "People",
        "Compared with earlier runs",
        "About this run",
    ]


def test_a_step_that_was_not_reached_has_no_section() -> None:
    assert headings(shown(failed_sync())) == [
        "SchemaMismatch",
        "What to do",
        "What needs attention",
        "How long it took",
        "Compared with earlier runs",
        "About this run",
    ]


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_link_within_the_page_leads_somewhere_and_every_id_is_there_once(sample: str) -> None:
    page = shown(SAMPLES[sample]())
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    wanted = {
        (element.attributes["href"] or "").removeprefix("#")
        for element in page.all("a")
        if (element.attributes["href"] or "").startswith("#")
    }

    assert len(ids) == len(set(ids))
    assert wanted <= set(ids)


class TestNotices:
    """What needs attention."""

    def test_stand_in_the_order_of_their_topics_whatever_step_they_are_of(self) -> None:
        page = shown(good_night())
        labels = [element.text for element in page.all("span", **{"class": "tag"})]

        assert labels == ["Personal data", "Logins", "Logins", "Rows", "Schema", "Schema", "Schema"]

    def test_have_the_line_that_mends_them(self) -> None:
        lines = [element.text for element in shown(good_night()).all("pre")]

        for notice in (*NOTICES, *REMAP.notices):
            assert not notice.mend or notice.mend in lines

    def test_of_the_schema_are_one_line_that_leads_to_their_section(self) -> None:
        attention = shown(good_night()).text.split("What changed")[0]

        assert "2 differences between the schemas: see how they differ." in attention
        assert "legacy_isbn" not in attention

    def test_that_two_steps_have_are_told_once(self) -> None:
        report = replace(good_night(), remap=replace(REMAP, notices=NOTICES[:1]))

        assert shown(report).text.count(NOTICES[0].text) == 1

    def test_are_missed_by_nobody_if_there_are_none(self) -> None:
        assert "Nothing: no step has anything to say." in shown(quiet_night()).text

    def test_have_a_label_for_every_topic(self) -> None:
        assert set(LABELS) == set(Topic)


def test_the_tables_stand_by_the_rows_that_were_written_the_most_first() -> None:
    text = shown(good_night()).text.split("What changed")[1]
    names = ("page_views", "order_lines", "orders", "log.2026", "books", "customers", "reviews")

    assert sorted(names, key=text.index) == list(names)


def test_a_night_without_changes_says_so_and_counts_the_tables() -> None:
    text = shown(unchanged()).text

    assert "Nothing: every table was equal already." in text
    assert f"{len(TABLES)} tables are equal on both sides" in text


def test_without_a_rule_it_says_that_nothing_is_masked_and_what_proposes_rules() -> None:
    text = shown(first_run()).text

    assert "No rule masks anything: every value is in staging as it is in production." in text
    assert "db-sync mask-plan" in text


def test_columns_that_look_personal_come_before_those_that_are_masked() -> None:
    text = shown(good_night()).text.split("What was masked")[1]

    assert text.index("public.customers.notes") < text.index("public.customers.phone")


def test_people_are_counts_and_the_address_of_the_file_that_names_them() -> None:
    text = shown(good_night()).text

    assert "51,142 without an account" in text
    assert FILES["cognito-mapping.csv.gz"] in text


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_page_has_an_email_address(sample: str) -> None:
    assert not re.search(r"[\w.]+@[\w]+\.", shown(SAMPLES[sample]()).text)


class TestEarlierRuns:
    """The comparison with earlier runs."""

    def test_are_marked_by_a_sign_if_they_did_not_succeed(self) -> None:
        page = shown(good_night())
        charts, signs = (
            page.all(tag, **{"class": name}) for tag, name in (("svg", "columns"), ("text", "sign"))
        )

        assert (len(charts), len(signs)) == (3, 3)

    def test_are_in_a_table_too_the_newest_first(self) -> None:
        text = shown(good_night()).text.split("The same 15 runs as a table")[1]

        assert text.index("nightly-2026-11-27") < text.index("nightly-2026-11-26")
        assert "failed (DatabaseUnavailable)" in text

    def test_are_told_to_be_missing_on_the_first_one(self) -> None:
        assert "No earlier run is known." in shown(first_run()).text


def test_the_steps_are_on_a_timeline_with_words_for_who_does_not_see_it() -> None:
    (timeline,) = shown(good_night()).all("svg", **{"class": "timeline"})

    assert "SyncDatabase: from 11 s on, 4 min 12 s" in timeline.text
    assert "ListCognitoUsers: from 4 min 23 s on, 33 s, 169 users" in timeline.text
    assert "UpdateDatabase: from 4 min 56 s on, 12 s" in timeline.text


def test_the_end_names_versions_input_and_files() -> None:
    text = shown(good_night()).text.split("About this run")[1]

    assert "16.6 in production, 17.2 in staging" in text
    assert '{"sync_cognito": true}' in text
    for name, uri in FILES.items():
        assert name in text
        assert uri in text


def test_the_seconds_of_a_short_sync_have_milliseconds() -> None:
    short = replace(SYNC, tables=(table("public.t", 5, 1, compare=0.014, merge=0.002),))

    assert "public.t 0.016 0.014 0.002" in shown(replace(good_night(), sync=short)).text
    assert "public.orders 34.5 14.2 6.1 9.8" in shown(good_night()).text


def test_files_that_do_not_say_when_they_began_are_no_obstacle() -> None:
    remap = replace(REMAP, started_at="", duration_seconds=0.0)
    assert isinstance(remap, RemapResult)
    report = replace(good_night(), sync=replace(SYNC, started_at=""), remap=remap)

    (timeline,) = shown(report).all("svg", **{"class": "timeline"})

    assert "SyncDatabase" not in timeline.text


def test_a_table_without_rows_or_seconds_is_no_obstacle() -> None:
    empty = replace(SYNC, tables=(table("public.empty", 0),))
    none = replace(SYNC, tables=(), left_alone={}, masked={}, following={}, sequences=())

    for sync in (empty, none):
        assert shown(replace(good_night(), sync=sync)).all("h1")
