"""What to do about each error, in a sentence; docs/operations.md has the whole story."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from write_report.model import Status


class Then(StrEnum):
    """What follows when the reason is mended."""

    REDRIVE = "redrive"  # the execution goes on from the state that failed
    START = "start"  # a new execution
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, what to do first, and what then; `section` is a heading of operations.md.

    `is_clean`: whether the step that failed has certainly changed nothing.
    """

    section: str
    happened: str
    do: str
    then: Then = Then.REDRIVE
    is_clean: bool = True


ADVICE: Mapping[str, Advice] = {
    advice.section: advice
    for advice in (
        Advice(
            "InvalidInput",
            "The input is not one that the workflow accepts; it was refused before anything else.",
            "Start it again with a valid input. If the schedule sent it, correct schedule_input in"
            " cdk.json and deploy.",
            Then.NOTHING,
        ),
        Advice(
            "ConfigurationError",
            "A setting, secret, table, column or right that is needed is missing or malformed.",
            "Correct what the message names, and deploy or grant it.",
        ),
        Advice(
            "TargetNotAllowed",
            "The database that staging's secret leads to is not marked as a sync target, or is"
            " production itself.",
            "Find out which database it is before you mark anything: the two secrets may be"
            " swapped.",
        ),
        Advice(
            "SyncInProgress",
            "Another run has held staging's lock for more than 90 seconds.",
            "Wait for the other run, which is changing staging.",
        ),
        Advice(
            "SchemaMismatch",
            "The schemas do not fit together, or production's rows violate a constraint of"
            " staging.",
            "Run the migration that one side lacks, or exclude the table.",
            Then.START,
        ),
        Advice(
            "TargetBusy",
            "Another session held a lock on staging's tables during all attempts.",
            "Wait for that session, or end it.",
        ),
        Advice(
            "DatabaseUnavailable",
            "A connection was refused, lost or too slow in all attempts, or the server is out of"
            " disk, memory or connections.",
            "Check that the database runs, that its disk has room, and that the security groups"
            " allow the connection.",
        ),
        Advice(
            "CognitoUnavailable",
            "Cognito throttled or failed for minutes.",
            "Wait a little: the listing continues where it stopped.",
        ),
        Advice(
            "VerificationFailed",
            "What was written was read again before the commit and was not what it should be;"
            " everything was rolled back.",
            "Look for a trigger, rule or collation that changes values, or an index that lacks"
            " rows, in the table that the message names.",
            Then.START,
        ),
        Advice(
            "OutOfTime",
            "There is more to copy than fits into the Lambda's time, or a server is slow.",
            "If it fails again, raise memory_mb, or sync once from a host without a time limit.",
        ),
        Advice(
            "StagingSyncError",
            "S3 or Secrets Manager failed, a part of a sync was given up, or staging-sync has a"
            " defect.",
            "Read the message. If it happens again, report it.",
        ),
        Advice(
            "States.Timeout and TIMED_OUT",
            "A state gave no answer, or the execution took more than two days: the Lambda may have"
            " continued and committed.",
            "Make sure that no run is at work any more.",
            Then.START,
            is_clean=False,
        ),
        Advice(
            "ABORTED",
            "Somebody stopped the execution, which does not stop a running Lambda.",
            "Ask who it was: CloudTrail knows.",
            Then.START,
            is_clean=False,
        ),
        Advice(
            "Runtime.ExitError and Sandbox.Timedout",
            "The Lambda was killed: it was out of memory or out of time.",
            "Look at the end of its log, and raise memory_mb.",
            Then.START,
            is_clean=False,
        ),
        Advice(
            "Lambda.… and States.TaskFailed",
            "The Lambda service itself failed in all attempts.",
            "Look at the message and at the AWS health dashboard.",
        ),
    )
}
UNKNOWN = Advice(
    "First",
    "The execution says nothing that is known here.",
    "Look at the execution in the console.",
    Then.START,
    is_clean=False,
)
# By the beginning of an error's name; the first one counts.
FAMILIES = {
    "States.Timeout": "States.Timeout and TIMED_OUT",
    "Runtime.": "Runtime.ExitError and Sandbox.Timedout",
    "Sandbox.": "Runtime.ExitError and Sandbox.Timedout",
    "Lambda.Unknown": "Runtime.ExitError and Sandbox.Timedout",
    "Lambda.": "Lambda.… and States.TaskFailed",
    "States.TaskFailed": "Lambda.… and States.TaskFailed",
}


def advise(status: Status, error: str) -> Advice | None:
    """Return what to do about an execution that ended so; None if it succeeded."""
    match status:
        case Status.SUCCEEDED:
            return None
        case Status.TIMED_OUT:
            return ADVICE["States.Timeout and TIMED_OUT"]
        case Status.ABORTED:
            return ADVICE["ABORTED"]
    for beginning, section in FAMILIES.items():
        if error.startswith(beginning):
            return ADVICE[section]
    return ADVICE.get(error, UNKNOWN)
