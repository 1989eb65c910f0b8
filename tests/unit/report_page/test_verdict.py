"""What an execution means for staging: what is certain is said, and nothing more."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from common.event import ExecutionInput
from common.reports.failure import Failure
from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from tests.support.sample_failures import (
    aborted,
    failed_in_parts,
    failed_listing,
    failed_remap,
    failed_sync,
    killed,
    refused_input,
    timed_out,
)
from tests.support.sample_reports import (
    EVERYTHING,
    REMAP,
    SYNC,
    cognito_only,
    dry_run,
    execution,
    good_night,
    in_parts,
    previous,
    unchanged,
    without_remap,
)
from write_report.advice import ADVICE
from write_report.model import Listing, Report, Staging, Status
from write_report.verdict import Freshness, Logins, judge

type Sample = Callable[[], Report]

LAST_NIGHT = previous()[-1].snapshot
TONIGHT = SYNC.snapshot
ALL_LISTED, SOME_LISTED = Listing(169, is_complete=True), Listing(60, is_complete=False)
UNCHANGED = replace(SYNC, status="unchanged")
ROWS_ONLY = ExecutionInput()


def ended(
    status: Status = Status.FAILED,
    error: str = "",
    *,
    sync: SyncResult | Failure | None = None,
    remap: RemapResult | Failure | None = None,
    listing: Listing | None = None,
    wanted: ExecutionInput | None = EVERYTHING,
    is_divided: bool = False,
) -> Report:
    """Return an execution that ended so, after a night of which the bucket knows."""
    return Report(
        execution(status=status, error=error, input=wanted),
        sync=sync,
        remap=remap,
        listing=listing,
        previous=previous(),
        is_divided=is_divided,
    )


def failure(error: str) -> Failure:
    return Failure(error, "What happened.")


@pytest.mark.parametrize("sample", [good_night, unchanged, in_parts, without_remap])
def test_after_a_sync_that_succeeded_staging_equals_its_snapshot(
    sample: Sample,
) -> None:
    verdict = judge(sample())

    assert (verdict.staging, verdict.freshness) == (Staging.EQUAL, Freshness(TONIGHT))
    assert verdict.advice is None
    assert not verdict.contradictions


@pytest.mark.parametrize("sample", [dry_run, cognito_only, failed_sync, refused_input])
def test_a_run_that_writes_no_row_leaves_staging_as_the_last_sync_did(
    sample: Sample,
) -> None:
    verdict = judge(sample())

    assert (verdict.staging, verdict.freshness) == (Staging.KEPT, Freshness(LAST_NIGHT))


@pytest.mark.parametrize("sample", [failed_remap, failed_listing, aborted])
def test_a_later_step_that_fails_leaves_the_rows_equal_and_the_logins_as_they_were(
    sample: Sample,
) -> None:
    verdict = judge(sample())

    assert (verdict.staging, verdict.freshness) == (Staging.EQUAL, Freshness(TONIGHT))
    assert verdict.logins is Logins.KEPT
    assert verdict.needs_remap


@pytest.mark.parametrize("sample", [killed, timed_out])
def test_a_sync_that_was_cut_off_may_have_been_committed_or_not(
    sample: Sample,
) -> None:
    verdict = judge(sample())

    assert verdict.staging is Staging.EITHER
    assert verdict.freshness == Freshness(LAST_NIGHT, is_at_least=True)
    assert not verdict.needs_remap


def test_a_sync_in_parts_that_fails_leaves_staging_in_between() -> None:
    verdict = judge(failed_in_parts())

    assert (verdict.staging, verdict.freshness) == (Staging.BETWEEN, Freshness(is_between=True))


def test_a_sync_in_parts_whose_end_was_cut_off_is_not_proven_by_its_file() -> None:
    parts = replace(SYNC, atomic=False)

    assert judge(ended(error="Lambda.Unknown", sync=parts, is_divided=True)).staging is (
        Staging.BETWEEN
    )


OWN_ERRORS = [section for section in ADVICE if section.isalpha() and section != "ABORTED"]
UNSEEN_ENDS = [
    (Status.TIMED_OUT, ""),
    (Status.ABORTED, ""),
    (Status.FAILED, "States.Timeout"),
    (Status.FAILED, "Runtime.ExitError"),
    (Status.FAILED, "Runtime.OutOfMemory"),
    (Status.FAILED, "Sandbox.Timedout"),
    (Status.FAILED, "Lambda.Unknown"),
    (Status.FAILED, "States.DataLimitExceeded"),
    (Status.FAILED, ""),
]


@pytest.mark.parametrize("error", OWN_ERRORS)
def test_an_error_of_the_sync_itself_leaves_staging_as_it_was(error: str) -> None:
    assert judge(ended(error=error, sync=failure(error))).staging is Staging.KEPT
    assert judge(ended(error=error)).staging is Staging.KEPT


@pytest.mark.parametrize("error", ["Lambda.TooManyRequestsException", "States.TaskFailed"])
def test_a_lambda_that_was_not_invoked_leaves_staging_as_it_was(error: str) -> None:
    assert judge(ended(error=error)).staging is Staging.KEPT


@pytest.mark.parametrize(("status", "error"), UNSEEN_ENDS)
class TestWhoeverIsCutOff:
    def test_may_have_committed(self, status: Status, error: str) -> None:
        assert judge(ended(status, error)).staging is Staging.EITHER

    def test_is_not_proven_to_have_committed_by_the_sync_s_file(
        self, status: Status, error: str
    ) -> None:
        assert judge(ended(status, error, sync=SYNC)).staging is Staging.EITHER

    def test_may_have_committed_though_an_earlier_attempt_failed(
        self, status: Status, error: str
    ) -> None:
        assert judge(ended(status, error, sync=failure("TargetBusy"))).staging is Staging.EITHER

    @pytest.mark.parametrize(
        "left",
        [{"listing": SOME_LISTED}, {"listing": ALL_LISTED}, {"remap": REMAP},
         {"remap": failure("TargetBusy")}],
    )  # fmt: skip
    def test_has_committed_if_a_later_step_left_anything(
        self, status: Status, error: str, left: dict[str, Listing]
    ) -> None:
        verdict = judge(ended(status, error, sync=SYNC, **left))  # type: ignore[arg-type] # one each

        assert (verdict.staging, verdict.freshness) == (Staging.EQUAL, Freshness(TONIGHT))

    def test_had_nothing_to_commit_if_nothing_differed(self, status: Status, error: str) -> None:
        assert judge(ended(status, error, sync=UNCHANGED)).staging is Staging.EQUAL

    def test_leaves_staging_in_between_if_the_sync_was_divided(
        self, status: Status, error: str
    ) -> None:
        assert judge(ended(status, error, is_divided=True)).staging is Staging.BETWEEN

    def test_changed_no_row_in_a_dry_run_or_with_only_the_logins_to_link(
        self, status: Status, error: str
    ) -> None:
        for wanted in (ExecutionInput(dry_run=True), ExecutionInput(cognito_only=True)):
            assert judge(ended(status, error, wanted=wanted)).staging is Staging.KEPT

    def test_may_have_linked_the_logins_once_all_users_are_listed(
        self, status: Status, error: str
    ) -> None:
        def logins(listing: Listing | None) -> Logins:
            return judge(ended(status, error, sync=SYNC, listing=listing)).logins

        assert logins(ALL_LISTED) is Logins.EITHER
        assert logins(SOME_LISTED) is Logins.KEPT
        assert logins(None) is Logins.KEPT

    def test_has_advice(self, status: Status, error: str) -> None:
        assert judge(ended(status, error)).advice


@pytest.mark.parametrize(
    "error", ["CognitoUnavailable", "ConfigurationError", "OutOfTime", "StagingSyncError"]
)
def test_an_error_that_the_sync_s_file_does_not_have_is_the_listing_s(error: str) -> None:
    # DbSync replaces its file when it fails.
    verdict = judge(ended(error=error, sync=SYNC))

    assert (verdict.staging, verdict.logins) == (Staging.EQUAL, Logins.KEPT)


@pytest.mark.parametrize("wanted", [ROWS_ONLY, None])
@pytest.mark.parametrize("error", ["ConfigurationError", "OutOfTime", "StagingSyncError"])
def test_where_no_listing_was_asked_for_an_error_is_the_sync_s_and_its_file_proves_nothing(
    wanted: ExecutionInput | None, error: str
) -> None:
    assert judge(ended(error=error, sync=SYNC, wanted=wanted)).staging is Staging.EITHER


@pytest.mark.parametrize("error", ["DatabaseUnavailable", "VerificationFailed", "SchemaMismatch"])
def test_an_error_that_only_the_sync_or_the_remap_raises_and_no_file_has_proves_nothing(
    error: str,
) -> None:
    assert judge(ended(error=error, sync=SYNC)).staging is Staging.EITHER


def test_the_error_counts_if_the_sync_s_file_has_it_and_a_listing_is_there_all_the_same() -> None:
    report = ended(error="TargetBusy", sync=failure("TargetBusy"), listing=ALL_LISTED)

    assert judge(report).staging is Staging.KEPT


def test_a_step_after_a_sync_whose_file_is_missing_leaves_rows_of_an_unknown_moment() -> None:
    report = ended(error="TargetBusy", remap=failure("TargetBusy"), listing=ALL_LISTED)

    assert (judge(report).staging, judge(report).freshness) == (Staging.EQUAL, Freshness())


def test_a_remap_that_says_why_it_failed_has_changed_no_login() -> None:
    report = ended(error="TargetBusy", sync=SYNC, remap=failure("TargetBusy"), listing=ALL_LISTED)

    assert judge(report).logins is Logins.KEPT


@pytest.mark.parametrize("wanted", [ROWS_ONLY, ExecutionInput(sync_cognito=True, dry_run=True)])
def test_logins_are_not_asked_for_by_a_sync_alone_or_a_dry_run(wanted: ExecutionInput) -> None:
    assert judge(ended(Status.SUCCEEDED, sync=SYNC, wanted=wanted)).logins is Logins.NOT_ASKED


def test_a_failure_s_file_beside_a_success_is_named_and_does_not_count() -> None:
    report = ended(Status.SUCCEEDED, sync=failure("TargetBusy"), remap=REMAP, listing=ALL_LISTED)
    verdict = judge(report)

    assert verdict.staging is Staging.EQUAL
    assert verdict.contradictions == (
        "db-sync.json is of an attempt that failed, though the execution succeeded.",
    )


def test_files_that_a_success_should_have_left_are_named() -> None:
    verdict = judge(ended(Status.SUCCEEDED))

    assert verdict.freshness == Freshness()
    assert [each.split()[0] for each in verdict.contradictions] == [
        "db-sync.json",
        "cognito-mapping.json",
    ]


def test_where_aws_leaves_out_the_error_it_is_that_of_the_step_s_file() -> None:
    # It does if the executions are encrypted with a customer managed key.
    verdict = judge(ended(error="", sync=failure("SchemaMismatch")))

    assert (verdict.error, verdict.staging) == ("SchemaMismatch", Staging.KEPT)
    assert verdict.advice == ADVICE["SchemaMismatch"]

    remap = failure("ConfigurationError")
    verdict = judge(ended(error="", sync=SYNC, remap=remap, listing=ALL_LISTED))

    assert (verdict.error, verdict.staging) == ("ConfigurationError", Staging.EQUAL)
    assert verdict.logins is Logins.KEPT


class TestWithoutAKnownInput:
    """AWS leaves it out of an event if it is large, or encrypted."""

    def test_the_files_show_what_was_asked_for(self) -> None:
        def staging(**left: object) -> Staging:
            report = ended(Status.SUCCEEDED, wanted=None)
            return judge(replace(report, **left)).staging  # type: ignore[arg-type] # a report's

        assert staging(sync=SYNC) is Staging.EQUAL
        assert staging(sync=replace(SYNC, status="dry_run")) is Staging.KEPT
        assert staging(remap=REMAP, listing=ALL_LISTED) is Staging.KEPT
        assert staging() is Staging.EITHER

    def test_an_input_that_was_refused_has_touched_nothing(self) -> None:
        assert judge(ended(error="InvalidInput", wanted=None)).staging is Staging.KEPT


def test_a_cause_of_any_form_is_no_obstacle() -> None:
    for given in ("", "null", "[]", '"x"', "{", "9" * 10_000):
        report = Report(execution(status=Status.FAILED, given=given, cause=given, input=None))

        assert judge(report).staging is Staging.EITHER
