"""One environment's settings: the fields of cdk.json, and what follows from them."""

import json
from typing import Any

from cdk.settings.arns import partition_of, partition_of_region
from cdk.settings.database import Database
from cdk.settings.fields import Fields
from cdk.settings.schedule_expression import longest_gap
from common.postgres.names import Name, TableColumn, split_name
from db_sync.mask.kinds import MaskRule


class Settings(Fields):
    """One environment's settings."""

    def secret_arn_of(self, side: str) -> str | None:
        """The secret of a side, "prod" or "staging", if it has one."""
        return {"prod": self.prod_secret_arn, "staging": self.staging_secret_arn}[side]

    def database_of(self, side: str) -> Database:
        """The block of a side's database."""
        return {"prod": self.prod_database, "staging": self.staging_database}[side]

    @property
    def secret_arns(self) -> tuple[str, ...]:
        """The secrets of both sides, as far as they have one."""
        return tuple(arn for arn in (self.prod_secret_arn, self.staging_secret_arn) if arn)

    @property
    def all_secret_arns(self) -> tuple[str, ...]:
        """These, and the secret with the masks' key."""
        return (*self.secret_arns, *filter(None, (self.mask_key_secret_arn,)))

    @property
    def partition(self) -> str:
        """The stack's partition of AWS."""
        if self.region:
            return partition_of_region(self.region)
        known = self.secret_arns or self.all_secret_arns
        return partition_of(known[-1]) if known else "aws"

    @property
    def reports_failures(self) -> bool:
        """Whether anybody is notified of failures."""
        return bool(self.alarm_email or self.alarm_topic_arn or self.chat_topic_arn)

    @property
    def longest_schedule_gap(self) -> int | None:
        """The hours between two starts at the most; None unless the schedule is rate(…)."""
        late = (self.schedule_window_minutes or 0) + self.schedule_retry_minutes
        return longest_gap(self.schedule_expression, late)

    @property
    def sub(self) -> TableColumn:
        """The users' column with the sub."""
        return TableColumn(Name(*split_name(self.users_table)), self.sub_column)

    @property
    def follow_variable(self) -> str | None:
        """UpdateDb's variable with the rule "follow"; None without such a rule."""
        follow = self.sync_rules.follow
        return json.dumps(follow) if follow else None

    @property
    def email_mask(self) -> MaskRule | None:
        """The mask of the column with the email, as `mask_of_users`."""
        return self.mask_of_users(self.email_column)

    def mask_of_users(self, column: str) -> MaskRule | None:
        """Return the mask of a column of the users' table, if it has one.

        Raises:
            ConfigurationError: two equally exact rules name it.
        """
        found = self.sync_rules.masks.rule_of(self.sub.table, column)
        return found[1] if found else None

    @property
    def kept_columns(self) -> tuple[Any, ...]:
        """The columns that belong to the target, with the sub column if a pool is configured.

        Otherwise each sync would undo the last remap and lock everybody out. A sub is a person's:
        an entry for the column alone becomes one with the email in `while_same`.
        """
        sub = f"{self.users_table}.{self.sub_column}"
        kept = self.sync_rules.keep
        if not self.user_pool_id or any(
            isinstance(entry, dict) and entry["column"] == sub for entry in kept
        ):
            return kept
        others = (entry for entry in kept if entry != sub)
        return (*others, {"column": sub, "while_same": [self.email_column]})
