"""The sync as a command: `db-sync --source URL --target URL`; and its subcommand `mask-plan`.

Exits with 0 if the sync succeeded, 1 if it failed (with the error on standard error), 2 if the call
was wrong.
"""

import argparse
import getpass
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from common.errors import ConfigurationError
from common.log import logger
from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.waits import WAITS, Waits
from db_sync.interrupts import interruptible
from db_sync.mask_plan import command as mask_plan
from db_sync.result import SyncResult
from db_sync.rules import SyncRules, read_rules
from db_sync.run import SyncOptions
from db_sync.sync import sync_database
from db_sync.terminal import WRONG_CALL, Bars, print_result, told

MASK_KEY = "MASK_KEY"  # the environment variable with the secret that masks depend on


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
    parser.add_argument("--json", action="store_true", help="print the result as JSON, only")
    call = parser.parse_args(arguments)
    try:
        source, target = DatabaseAddress.of_url(call.source), DatabaseAddress.of_url(call.target)
        rules = SyncRules.parse(read_rules(call.rules))
        key = MaskKey(secret) if (secret := os.environ.get(MASK_KEY)) else None
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
    return _sync(source, target, options, as_json=call.json)


def _sync(
    source: DatabaseAddress,
    target: DatabaseAddress,
    options: SyncOptions,
    *,
    as_json: bool,
) -> int:
    def sync() -> None:
        with Bars() as bars:
            shown = replace(options, progress=bars.show)
            result = interruptible(
                lambda before_commit: sync_database(source, target, shown, before_commit)
            )
        _print(result, as_json=as_json)

    return told(sync, interrupted="the target is as it was")


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
