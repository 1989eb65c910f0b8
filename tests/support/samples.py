"""A report of each kind, by name."""

from collections.abc import Callable

from tests.support import hostile_reports, sample_failures, sample_reports
from write_report.model import Report

SAMPLES: dict[str, Callable[[], Report]] = {
    each.__name__: each
    for each in (
        sample_reports.good_night,
        sample_reports.quiet_night,
        sample_reports.unchanged,
        sample_reports.dry_run,
        sample_reports.cognito_only,
        sample_reports.without_remap,
        sample_failures.failed_sync,
        sample_failures.failed_remap,
        sample_failures.failed_listing,
        sample_failures.killed,
        sample_failures.timed_out,
        sample_failures.aborted,
        sample_reports.in_parts,
        sample_failures.failed_in_parts,
        sample_reports.first_run,
        sample_failures.refused_input,
        hostile_reports.hostile,
        hostile_reports.hostile_failure,
        sample_reports.many_tables,
    )
}
