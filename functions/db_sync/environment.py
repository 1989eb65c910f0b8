"""DbSync's environment variables; CDK sets them by the same class."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from common.errors import ConfigurationError
from common.settings import (
    DatabaseVariables,
    Form,
    OptionalStrings,
    OptionalText,
    StagingEnvironment,
    Text,
)
from db_sync.tuning import Rates, Tuning

# When a sync that one Lambda has no time for is divided into parts.
type InParts = Literal["first_load", "when_needed", "never"]
# A Map run has up to 10,000 children at once; an account has 1,000 Lambdas by default.
MOST_PARTS_AT_ONCE = 1000


def _read_in_parts(variable: str, text: str) -> str:
    allowed = get_args(InParts.__value__)
    if text not in allowed:
        raise ConfigurationError(
            f"The environment variable {variable} must be one of {', '.join(allowed)}."
        )
    return text


def _read_concurrency(variable: str, text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text, re.ASCII) or int(text) > MOST_PARTS_AT_ONCE:
        raise ConfigurationError(
            f"The environment variable {variable} must be a whole number from 1 to"
            f" {MOST_PARTS_AT_ONCE}, like 8."
        )
    return int(text)


@dataclass(frozen=True, kw_only=True)
class DbSyncEnvironment(StagingEnvironment):
    """Both databases, the rules as JSON, which `SyncRules.parse` reads, and the masks' key.

    Rules that have no room among the variables are in a file. `tuning` has numbers of `Tuning` as
    JSON, and is set by tests alone. `in_parts` says when a sync may be
    divided, and `parts_concurrency` how many of its parts run at once.
    """

    prod_secret_arn: OptionalText = None
    prod_database: OptionalStrings = None
    sync_rules: Text = ""
    sync_rules_file: OptionalText = None
    mask_key_secret_arn: OptionalText = None
    tuning: OptionalText = None
    in_parts: Annotated[InParts, Form(_read_in_parts)] = "first_load"
    parts_concurrency: Annotated[int, Form(_read_concurrency)] = 8

    @property
    def production(self) -> DatabaseVariables:
        """What they say about production's database."""
        return DatabaseVariables(
            "PROD", self.prod_secret_arn, self.prod_database or {}, self.database_ca_bundle or ""
        )

    def read_tuning(self) -> Tuning:
        """Return the numbers by which a sync chooses its ways: the defaults, but for tests."""
        given = json.loads(self.tuning or "{}")
        rates = Rates(**given.pop("rates", {}))
        return Tuning(**given, rates=rates)

    def read_rules(self) -> str:
        """Return the rules' text.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        if self.sync_rules_file is None:
            return self.sync_rules
        try:
            return Path(self.sync_rules_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"The sync rules could not be read from {self.sync_rules_file}, which"
                " SYNC_RULES_FILE names. Deploy again."
            ) from error
