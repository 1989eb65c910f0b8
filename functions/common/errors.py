"""Every error that staging-sync raises on purpose.

The class name is the error name that Step Functions shows and that the state machine's
Retry fields match. The message says what happened, on which object, and what to do; it
never holds personal data or a password.
"""

import json
from collections.abc import Sequence
from typing import Self

# ruff: noqa: N818  # the contract names the errors, and Step Functions shows these names

# Step Functions cuts a cause at 32,768 characters, of JSON with the stack trace in it.
LONGEST = 16_000


class StagingSyncError(Exception):
    """The base of all errors; raised itself for a defect, or a service's failure without a class.

    Attributes:
        message: what happened and what to do.
        reasons: all of the reasons, if there are several.
    """

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        """Make a text of the message and as many reasons as a cause can hold."""
        self.message = message
        self.reasons = tuple(reasons)
        super().__init__(_bounded(message, self.reasons))

    def adding(self, sentence: str) -> Self:
        """Return the same error with one more sentence."""
        return type(self)(f"{self.message} {sentence}", self.reasons)


class InvalidInput(StagingSyncError):
    """The execution's input is not one that the workflow accepts. Not retried."""


class ConfigurationError(StagingSyncError):
    """A variable, secret, table, column or right that is needed is missing. Not retried."""


class TargetNotAllowed(StagingSyncError):
    """The target is not marked as a sync target, or is the source itself. Not retried."""


class SyncInProgress(StagingSyncError):
    """Another sync or remap holds the target's lock. Not retried."""


class SchemaMismatch(StagingSyncError):
    """Source and target cannot be reconciled; lists every reason. Not retried."""


class TargetBusy(StagingSyncError):
    """A lock on the target was not granted in time; names who holds it. Retried."""


class DatabaseUnavailable(StagingSyncError):
    """A database connection was refused, dropped or timed out. Retried."""


class CognitoUnavailable(StagingSyncError):
    """Cognito throttles or fails after the SDK's own retries. Retried."""


class VerificationFailed(StagingSyncError):
    """After the copy the target differs from the source's snapshot. Not retried."""


class OutOfTime(StagingSyncError):
    """The Lambda's time is nearly over. Not retried."""


def _bounded(message: str, reasons: Sequence[str]) -> str:
    """Return a message, followed by as many reasons as fit."""
    text = _cut(message, LONGEST)
    for number, reason in enumerate(reasons):
        left = f"and {len(reasons) - number} more, all of them in the report db-sync.json."
        longer = _joined(text, _cut(reason, LONGEST // 2), is_first=number == 0)
        if _length(_joined(longer, left)) > LONGEST:
            return _joined(text, left)
        text = longer
    return f"{text}." if reasons and not text.endswith((".", ";")) else text


def _joined(text: str, reason: str, *, is_first: bool = False) -> str:
    """Return a text with one more reason; one that ends in an SQL statement keeps its semicolon."""
    if is_first or text.endswith(";"):
        return f"{text} {reason}"
    return f"{text.removesuffix('.')}; {reason}"


def _cut(text: str, longest: int) -> str:
    """Cut a text to a length in a cause, where a non-ASCII character counts as six or more."""
    if _length(text) <= longest:
        return text
    while _length(text) > longest - len(json.dumps("…")):
        text = text[: len(text) * longest // (_length(text) + len(json.dumps("…")))]
    return f"{text}…"


def _length(text: str) -> int:
    """Return the length of a text in a cause, which is JSON."""
    return len(json.dumps(text))
