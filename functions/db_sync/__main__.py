"""The sync as a command: `db-sync --source URL --target URL`; and its subcommand `mask-plan`.

Exits with 0 if the sync succeeded, 1 if it failed (with the error on standard error), 2 if the call
was wrong.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from common.errors import ConfigurationError, StagingSyncError
from common.log import logger
from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.waits import WAITS, Waits
from common.reports.failure import Failure
from common.reports.sync import SyncResult
from db_sync.interrupts import interruptible
from db_sync.mask_plan import command as mask_plan
from db_sync.page_file import PageFile
from db_sync.parts.jobs import stop_processes, sync_in_parts
from db_sync.rules import SyncRules, read_rules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from db_sync.terminal import WRONG_CALL, Bars, print_result, told

MOST_JOBS = 64
IN_BETWEEN = (
    "parts of the target are as in production and others as they were. Start again, which goes on"
    " from there"
)
PARTS = "parts"  # the phase in which parts are written
MASK_KEY = "MASK_KEY"  # the environment variable with the secret that masks depend on


class Work(Protocol):
    """A sync, in one or in parts."""

    def __call__(
        self, options: SyncOptions, *, save_report: Callable[[SyncResult], None]
    ) -> SyncResult:
        """Do it; `save_report` is called before the last commit."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a run is shown: as JSON or for a person, and as a page if one is wanted."""

    page: PageFile | None
    as_json: bool
    in_parts: bool


def main(arguments: list[str] | None = None, waits: Waits = WAITS) -> int:
    """Run the command and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == [mask_plan.NAME]:
        secret = os.environ.get(MASK_KEY)
        return mask_plan.run(given[1:], mask_key=secret, user=_user(), waits=_shown(waits))
    return _run(given, _shown(waits))


def _run(arguments: list[str], waits: Waits) -> int:
    parser = argparse.ArgumentParser(
        prog="db-sync",
        description="Make a target PostgreSQL database's rows equal to a source's.",
        epilog=f"There is one subcommand, to {mask_plan.SUMMARY}: db-sync {mask_plan.NAME}. The"
        f" environment variable {MASK_KEY} is the key of the masks: openssl rand -hex 32.",
    )
    parser.add_argument("--source", required=True, metavar="URL", help="production; only read")
    parser.add_argument("--target", required=True, metavar="URL", help="staging; is written")
    parser.add_argument("--dry-run", action="store_true", help="report only, write nothing")
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help="rules as JSON; masks need MASK_KEY"
    )
    parser.add_argument(
        "--remapped",
        action="store_true",
        help="write even if changed masks unlink nearly all logins; you remap afterwards",
    )
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="in parts, by N processes: staging is in between meanwhile; with 1 it is atomic",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page about the run, unless it is interrupted: HTML, one file",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON, only")
    call = parser.parse_args(arguments)
    if call.dry_run and call.jobs > 1:
        parser.error("--dry-run writes nothing, so that there is nothing to do in parts.")
    try:
        source, target = DatabaseAddress.of_url(call.source), DatabaseAddress.of_url(call.target)
        rules = SyncRules.parse(read_rules(call.rules))
        key = MaskKey(secret) if (secret := os.environ.get(MASK_KEY)) else None
        page = PageFile.at(call.report) if call.report else None
    except ConfigurationError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return WRONG_CALL
    logger.setLevel("CRITICAL")  # the result says everything that would be logged
    options = SyncOptions(
        f"command of {_user()}",
        rules,
        call.dry_run,
        waits=waits,
        mask_key=key,
        is_remapped=call.remapped,
    )
    shown = Shown(page, as_json=call.json, in_parts=call.jobs > 1)
    if shown.in_parts:
        return _sync(partial(sync_in_parts, source, target, jobs=call.jobs), options, shown)
    return _sync(partial(sync_database, source, target), options, shown)


def _jobs(text: str) -> int:
    """Return how many processes are wanted."""
    if not (text.isdecimal() and 1 <= int(text) <= MOST_JOBS):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST_JOBS}")
    return int(text)


def _sync(work: Work, options: SyncOptions, shown: Shown) -> int:
    began = datetime.now(UTC)
    phases: set[str] = set()

    def sync() -> None:
        with Bars() as bars:

            def show(phase: str, done: int, total: int) -> None:
                phases.add(phase)
                bars.show(phase, done, total)

            watched = replace(options, progress=show)
            try:
                result = interruptible(lambda before: work(watched, save_report=before))
            except KeyboardInterrupt:
                stop_processes()
                raise
            except StagingSyncError as error:
                failure = Failure.of(error)
                _write_page(shown, options, began, failure, is_divided=PARTS in phases)
                raise
        _print(result, as_json=shown.as_json)
        _write_page(shown, options, began, result, is_divided=not result.atomic)

    return told(sync, interrupted=IN_BETWEEN if shown.in_parts else "the target is as it was")


def _write_page(
    shown: Shown,
    options: SyncOptions,
    began: datetime,
    found: SyncResult | Failure,
    *,
    is_divided: bool,
) -> None:
    """Write the page, if one is wanted; if that fails, the run was what it was."""
    if shown.page is None:
        return
    try:
        shown.page.write(options, began, found, is_divided=is_divided)
    except OSError as error:
        print(f"{shown.page.path} cannot be written: {error.strerror}.", file=sys.stderr)
    else:
        if not shown.as_json:
            print(f"page: {shown.page.path}")


def _user() -> str:
    """Return who runs the command: the user's name, or its number if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the first before Python 3.13, the second from then on
        return f"uid {os.getuid()}"


def _shown(waits: Waits) -> Waits:
    """Return the waits, of which a long one is printed."""
    return replace(waits, report=_print_wait)


def _print_wait(_role: str, why: str) -> None:
    print(why, file=sys.stderr)


def _print(result: SyncResult, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.output()))
    else:
        print_result(result)


if __name__ == "__main__":
    sys.exit(main())
