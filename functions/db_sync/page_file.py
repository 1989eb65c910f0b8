"""The page about a run of the command: `--report FILE`.

Only the command imports this: a Lambda's page is written by another one.
"""

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from common.errors import ConfigurationError
from common.event import ExecutionInput
from common.reports.failure import Failure
from common.reports.sync import SyncResult
from db_sync.run import SyncOptions
from write_report.model import Execution, Report, Status
from write_report.page.rendering import render


@dataclass(frozen=True, slots=True)
class PageFile:
    """Where the page goes."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the file, which is not written yet.

        Raises:
            ConfigurationError: it could not be written.
        """
        try:
            file = path.resolve()  # a link stays, and what it leads to is replaced
            exists = file.exists()
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
        if exists and not file.is_file():
            raise ConfigurationError(f"{path} cannot be written: it is no regular file.")
        if not os.access(file.parent, os.W_OK):
            raise ConfigurationError(
                f"{path} cannot be written: {file.parent} is not there, or may not be written."
            )
        return cls(file)

    def write(
        self,
        options: SyncOptions,
        began: datetime,
        found: SyncResult | Failure,
        *,
        is_divided: bool,
    ) -> None:
        """Write the page of a run that has just ended; appears at once, and complete.

        Args:
            options: the run's.
            began: when it began.
            found: what it did, or why it failed.
            is_divided: whether parts were written.

        Raises:
            OSError: it cannot be written.
        """
        failure = found if isinstance(found, Failure) else None
        execution = Execution(
            name=options.execution,
            status=Status.FAILED if failure else Status.SUCCEEDED,
            started_at=began.isoformat(timespec="milliseconds"),
            ended_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            given="",
            input=ExecutionInput(dry_run=options.dry_run),
            error=failure.error if failure else "",
            cause=failure.message if failure else "",
        )
        self._replace(render(Report(execution, found, is_divided=is_divided)))

    def _replace(self, page: str) -> None:
        """Replace the file by a rename, so that nobody sees half a page."""
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".page-") as folder:
            complete = Path(folder) / self.path.name
            complete.write_text(page, encoding="utf-8")
            complete.replace(self.path)
