"""What a run tells the next ones: its figures, and how old staging's rows are after it."""

import json

from tests.support.sample_failures import killed
from tests.support.sample_reports import after, good_night
from write_report.model import Staging, Status, Summary
from write_report.page.history import summarize
from write_report.verdict import Freshness, last_known


def night(number: int, staging: Staging, *, dry: bool = False) -> Summary:
    at = after(number * 86_400)
    return Summary("n", Status.SUCCEEDED, at, at, 1.0, dry, snapshot=at, staging=staging)


class TestLastKnown:
    """How old staging's rows are, after several runs."""

    def test_is_unknown_without_any_run(self) -> None:
        assert last_known([]) == Freshness()

    def test_is_the_last_sync_s_snapshot_though_later_runs_changed_nothing(self) -> None:
        runs = [night(1, Staging.EQUAL), night(2, Staging.EQUAL), night(3, Staging.KEPT)]

        assert last_known(runs) == Freshness(after(2 * 86_400))

    def test_ignores_dry_runs_whatever_they_say(self) -> None:
        runs = [night(1, Staging.EQUAL), night(2, Staging.EQUAL, dry=True)]

        assert last_known(runs) == Freshness(after(86_400))

    def test_may_be_newer_if_a_later_run_was_cut_off(self) -> None:
        runs = [night(1, Staging.EQUAL), night(2, Staging.EITHER), night(3, Staging.KEPT)]

        assert last_known(runs) == Freshness(after(86_400), is_at_least=True)

    def test_is_certain_again_after_a_sync_that_succeeded(self) -> None:
        runs = [night(1, Staging.EITHER), night(2, Staging.BETWEEN), night(3, Staging.EQUAL)]

        assert last_known(runs) == Freshness(after(3 * 86_400))

    def test_is_in_between_after_a_sync_in_parts_that_did_not_end(self) -> None:
        runs = [night(1, Staging.EQUAL), night(2, Staging.BETWEEN), night(3, Staging.KEPT)]

        assert last_known(runs) == Freshness(is_between=True)


def test_a_run_s_figures_are_those_of_its_steps() -> None:
    summary = summarize(good_night())

    assert (summary.sync, summary.staging, summary.snapshot) == ("synced", Staging.EQUAL, after(12))
    assert (summary.tables_changed, summary.rows) == (9, 498_425)
    assert (summary.linked, summary.left_out, summary.warnings) == (160, 51_151, 6)


def test_rows_that_were_perhaps_not_committed_are_no_figure_of_a_run() -> None:
    summary = summarize(killed())

    assert (summary.staging, summary.tables_changed, summary.rows) == (Staging.EITHER, None, None)


def test_what_a_run_left_of_staging_reaches_the_next_one() -> None:
    summary = night(1, Staging.BETWEEN)

    assert Summary.parse(json.loads(json.dumps(summary.as_json()))) == summary
