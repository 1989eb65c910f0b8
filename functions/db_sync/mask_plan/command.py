"""The subcommand: `db-sync mask-plan --source URL [--rules FILE] [--output FILE]`.

Exits as `db-sync` does: 0 if the rules were written, 1 if that failed, 2 if the call was wrong.
"""

import argparse
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from common.errors import ConfigurationError
from common.log import logger
from common.masking.keys import MaskKey
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import connect
from common.postgres.waits import Waits
from db_sync.interrupts import interruptible
from db_sync.mask_plan.planning import MaskPlan, Rules, plan_source
from db_sync.mask_plan.table import print_plan
from db_sync.rules import SyncRules, read_rules
from db_sync.run import Progress
from db_sync.terminal import WRONG_CALL, Bars, told

NAME = "mask-plan"
SUMMARY = "propose masks for the personal data of a source"
OUTPUT = Path("mask-rules.json")


@dataclass(frozen=True, slots=True)
class _Call:
    """What the command was called with; `is_random`: whether the key is for these samples only."""

    source: DatabaseAddress
    raw: Rules
    rules: SyncRules
    output: Path
    key: MaskKey
    is_random: bool

    @classmethod
    def of_arguments(cls, call: argparse.Namespace, secret: str | None) -> Self:
        """Return the call; nothing is read from the source yet.

        Raises:
            ConfigurationError: an argument or the rules are malformed or cannot be read, or the
                output exists.
        """
        output: Path = call.output
        if os.path.lexists(output):
            raise ConfigurationError(
                f"{output} exists already, and is not overwritten. Name another file with --output."
            )
        if not os.access(output.parent, os.W_OK):
            raise ConfigurationError(f"{output} cannot be written: no such folder, or no right to.")
        text = read_rules(call.rules)
        rules = SyncRules.parse(text)
        key = MaskKey(secret or secrets.token_hex(32))
        address = DatabaseAddress.of_url(call.source)
        return cls(address, json.loads(text or "{}"), rules, output, key, not secret)


def run(arguments: list[str], *, mask_key: str | None, user: str, waits: Waits) -> int:
    """Run the subcommand and return its exit code."""
    parser = argparse.ArgumentParser(
        prog=f"db-sync {NAME}",
        description=f"{SUMMARY.capitalize()}: reads its catalog and a sample of its rows, shows"
        " what each column would become, and writes a rules file to go through.",
    )
    parser.add_argument("--source", required=True, metavar="URL", help="production; only read")
    parser.add_argument("--rules", type=Path, metavar="FILE", help="rules that exist already")
    parser.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="FILE",
        help=f"the file to write, which must not exist (default: {OUTPUT})",
    )
    try:
        call = _Call.of_arguments(parser.parse_args(arguments), mask_key)
    except ConfigurationError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return WRONG_CALL
    logger.setLevel("CRITICAL")

    def propose() -> None:
        with Bars() as bars:
            plan = interruptible(lambda _: _plan(call, user, waits, bars.show))
        _write(call.output, plan.rules)
        print_plan(plan, str(call.output), has_random_key=call.is_random)

    return told(propose, interrupted="nothing was written")


def _plan(call: _Call, user: str, waits: Waits, progress: Progress) -> MaskPlan:
    execution = f"{NAME} of {user}"
    with (
        connect(call.source, "source", execution=execution, read_only=True, waits=waits) as source,
        source.transaction(),
    ):
        source.learn_names()
        return plan_source(source, call.raw, call.rules, call.key, progress)


def _write(output: Path, rules: Rules) -> None:
    try:
        with output.open("x") as file:
            file.write(json.dumps(rules, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigurationError(f"{output} could not be written: {error.strerror}.") from error
