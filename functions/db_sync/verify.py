"""What was written is read again, before the commit, and must be what the source holds."""

from collections import deque

from common.errors import VerificationFailed
from db_sync.compare import Difference
from db_sync.fingerprint import Fingerprint, of_target, parsed
from db_sync.plan import TablePlan
from db_sync.ranges import Ranges
from db_sync.run import Run

RANGES_NAMED = 10  # in an error's message


def verify_ranges(run: Run, difference: Difference) -> None:
    """Compute the fingerprints of the ranges that were written, and compare with the source's.

    Raises:
        VerificationFailed: they differ.
    """
    with of_target(run.target, difference.ranges, difference.numbers) as lines:
        *found, total = map(parsed, lines)
    if difference.dirty is None:
        wrong = [] if total == difference.source else ["its rows"]
    else:
        expected = {fingerprint for fingerprint in difference.dirty if fingerprint.rows}
        numbers = {fingerprint.number for fingerprint in expected.symmetric_difference(found)}
        wrong = [f"range {number}" for number in sorted(numbers)]
    if wrong:
        raise failure(difference.plan, wrong)


def verify_all_rows(run: Run, ranges: Ranges, source: Fingerprint) -> None:
    """Compute the fingerprint of all rows of a table, and compare with the source's.

    For a table that an action of a foreign key could have reached outside of what was written.

    Raises:
        VerificationFailed: they differ.
    """
    with of_target(run.target, ranges) as lines:
        (total,) = deque(lines, maxlen=1)
    if parsed(total) != source:
        raise failure(ranges.plan, ["its rows"])


def failure(plan: TablePlan, wrong: list[str]) -> VerificationFailed:
    """Return the error for a table of which some ranges (or all its rows) are wrong."""
    return VerificationFailed(
        f"After the copy, {plan.name} is not what the source's snapshot holds:"
        f" {', '.join(wrong[:RANGES_NAMED])} differ. Everything was rolled back. Look for a"
        " trigger, rule, domain or collation that changes values in the target."
    )
