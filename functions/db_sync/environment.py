"""DbSync's environment variables; CDK sets them by the same class."""

from dataclasses import dataclass
from pathlib import Path

from common.errors import ConfigurationError
from common.settings import (
    DatabaseVariables,
    OptionalStrings,
    OptionalText,
    StagingEnvironment,
    Text,
)


@dataclass(frozen=True, kw_only=True)
class DbSyncEnvironment(StagingEnvironment):
    """Both databases, the rules as JSON, which `SyncRules.parse` reads, and the masks' key.

    Rules that have no room among the variables are in a file.
    """

    prod_secret_arn: OptionalText = None
    prod_database: OptionalStrings = None
    sync_rules: Text = ""
    sync_rules_file: OptionalText = None
    mask_key_secret_arn: OptionalText = None

    @property
    def production(self) -> DatabaseVariables:
        """What they say about production's database."""
        return DatabaseVariables(
            "PROD", self.prod_secret_arn, self.prod_database or {}, self.database_ca_bundle or ""
        )

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
