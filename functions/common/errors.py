"""Every error that staging-sync raises on purpose.

The class name is the error name that Step Functions shows and that the state machine's
Retry fields match. The message says what happened, on which object, and what to do; it
never holds personal data or a password.
"""

# ruff: noqa: N818  # the contract names the errors, and Step Functions shows these names


class StagingSyncError(Exception):
    """Root of all errors; raised itself for a defect, or a service's fault without a name here."""


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
