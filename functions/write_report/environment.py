"""WriteReport's environment variables."""

from dataclasses import dataclass

from common.settings import LambdaEnvironment, Text


@dataclass(frozen=True, kw_only=True)
class WriteReportEnvironment(LambdaEnvironment):
    """Where the files are, and the beginning of an execution's address in AWS's console."""

    exchange_bucket: Text
    executions_console: Text = ""
