"""What the page says of executions that did not succeed."""

from dataclasses import replace

from common.event import ExecutionInput
from common.reports.failure import Failure
from tests.support.parsed_pages import shown
from tests.support.sample_failures import (
    aborted,
    failed_listing,
    failed_sync,
    killed,
    refused_input,
)
from tests.support.sample_reports import cognito_only, execution, in_parts
from write_report.model import Report, Status


def test_staging_s_age_is_that_of_the_last_sync_if_this_one_failed() -> None:
    text = shown(failed_sync()).text

    assert "Staging's rows are of 26 Nov 2026 03:00:12 UTC Duration" in text


def test_staging_s_age_is_a_least_one_after_a_sync_that_was_cut_off() -> None:
    assert "Staging's rows are of 26 Nov 2026 03:00:12 UTC or newer" in shown(killed()).text


def test_staging_s_age_is_unknown_without_an_earlier_run() -> None:
    text = shown(replace(failed_sync(), previous=())).text

    assert "Staging's rows are of unknown: no earlier run says so" in text


def test_logins_alone_that_were_cut_off_may_be_linked_or_not() -> None:
    report = replace(
        cognito_only(),
        execution=execution(
            status=Status.ABORTED, input=ExecutionInput(cognito_only=True), given="{}"
        ),
    )
    (heading,) = shown(report).all("h1")

    assert heading.text == "Logins may be linked or not; no rows were synced"


def test_a_connection_that_broke_may_have_broken_during_the_commit() -> None:
    failure = Failure("DatabaseUnavailable", "The server closed the connection.")
    report = Report(execution(status=Status.FAILED, error=failure.error), sync=failure)

    assert "unless the connection broke during the commit itself" in shown(report).text


def test_a_sync_in_parts_says_that_staging_was_in_between() -> None:
    assert "staging was partly old and partly new meanwhile" in shown(in_parts()).text


def test_what_a_sync_that_was_cut_off_found_is_not_told_as_if_it_were_written() -> None:
    text = shown(killed()).text

    assert "What changed, if it was committed" in text
    assert "Rows written" not in text.split("Compared with earlier runs")[0]


class TestAFailure:
    """What a page says of an execution that failed."""

    def test_has_its_error_message_and_every_reason(self) -> None:
        failure = failed_sync().sync
        assert isinstance(failure, Failure)
        text = shown(failed_sync()).text

        for words in (failure.error, failure.message, *failure.reasons):
            assert words in text

    def test_of_the_sync_is_redriven_or_started_again_as_operations_md_says(self) -> None:
        lines = [element.text for element in shown(failed_sync()).all("pre")]

        assert lines[0] == 'make start ENV="$ENV" INPUT=\'{"sync_cognito": true}\''

    def test_after_the_sync_is_completed_by_a_redrive_or_by_the_logins_alone(self) -> None:
        for report in (failed_listing(), aborted()):
            lines = [element.text for element in shown(report).all("pre")]

            assert lines[:2] == [
                'aws stepfunctions redrive-execution --execution-arn "$EXECUTION"',
                'make start ENV="$ENV" INPUT=\'{"cognito_only": true}\'',
            ]

    def test_of_the_command_names_no_state_machine(self) -> None:
        report = failed_sync()
        page = shown(replace(report, execution=replace(report.execution, console="")))

        assert "redrive-execution" not in page.text
        assert "make start" not in page.text

    def test_of_an_unknown_input_is_not_started_again_with_another_one(self) -> None:
        report = replace(killed(), execution=replace(killed().execution, input=None, given=""))

        assert "make start" not in shown(report).text
        assert "Not known here: AWS leaves out an input that is large" in shown(report).text

    def test_of_an_input_shows_the_beginning_of_it(self) -> None:
        text = shown(refused_input()).text

        assert '{"sync_congito": true, "<script>alert(1)</script>": "xxx' in text
        assert "more characters" in text
