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
        folder = path.absolute().parent
        if not folder.is_dir():
            raise ConfigurationError(f"{path} cannot be written: {folder} is not a directory.")
        if path.is_dir() or not os.access(folder, os.W_OK):
            what = "it is a directory" if path.is_dir() else f"no right to write into {folder}"
            raise ConfigurationError(f"{path} cannot be written: {what}.")
        return cls(path)

    def write(
        self,
        options: SyncOptions,
        began: datetime,
        found: SyncResult | Failure | None,
        *,
        in_parts: bool,
    ) -> None:
        """Write the page of a run that has just ended; appears at once, and complete.

        Args:
            options: the run's.
            began: when it began.
            found: what it did, or why it failed; None if it was interrupted.
            in_parts: whether it was done in parts.

        Raises:
            OSError: it cannot be written.
        """
        failure = found if isinstance(found, Failure) else None
        status = Status.SUCCEEDED if isinstance(found, SyncResult) else Status.FAILED
        execution = Execution(
            name=options.execution,
            status=status if found else Status.ABORTED,
            started_at=began.isoformat(timespec="milliseconds"),
            ended_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            given="",
            input=ExecutionInput(dry_run=options.dry_run),
            error=failure.error if failure else "",
            cause=failure.message if failure else "",
        )
        self._replace(render(Report(execution, found, is_divided=in_parts)))

    def _replace(self, page: str) -> None:
        """Replace the file by a rename, so that nobody sees half a page."""
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self.path.absolute().parent, delete=False
        ) as file:
            file.write(page)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(self.path)
