"""DbSync's environment variables; CDK sets them by the same class."""

from dataclasses import dataclass

from common.settings import (
    DatabaseVariables,
    OptionalStrings,
    OptionalText,
    StagingEnvironment,
    Text,
)


@dataclass(frozen=True, kw_only=True)
class DbSyncEnvironment(StagingEnvironment):
    """Both databases, the rules as JSON, which `SyncRules.parse` reads, and the masks' key."""

    prod_secret_arn: OptionalText = None
    prod_database: OptionalStrings = None
    sync_rules: Text = ""
    mask_key_secret_arn: OptionalText = None

    @property
    def production(self) -> DatabaseVariables:
        """What they say about production's database."""
        return DatabaseVariables(
            "PROD", self.prod_secret_arn, self.prod_database or {}, self.database_ca_bundle or ""
        )
