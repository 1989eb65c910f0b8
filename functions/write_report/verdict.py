"""What an execution means for staging, in the words that a careful DBA would choose."""

from dataclasses import dataclass

from write_report.model import Report, Staging


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the execution left staging's rows as."""

    staging: Staging


def judge(report: Report) -> Verdict:
    """Return what an execution means for staging."""
    return Verdict(Staging.EQUAL if report.sync else Staging.KEPT)
