"""The settings of what a sync leaves alone; DbSync parses them as its `SyncRules`."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from cdk.settings.block import Block
from cdk.settings.values import KeptColumn, TableName


class SyncRuleSettings(Block):
    """Which tables and columns the sync leaves alone, and what it may set off."""

    exclude: Annotated[tuple[TableName, ...], Field(description="tables that are left alone")] = ()
    include: Annotated[
        tuple[TableName, ...],
        Field(description="tables of migration tools to sync; by default they are left alone"),
    ] = ()
    keep: Annotated[
        tuple[KeptColumn, ...],
        Field(
            description="columns that belong to staging: the sync keeps their values, with"
            " `while_same` only in rows in which those columns are the same on both sides. With a"
            " user pool the `sub_column` is kept while the `email_column` is the same, without an"
            " entry here"
        ),
    ] = ()
    event_triggers_ok: Annotated[
        bool,
        Field(
            description="if staging's role cannot disable event triggers, let them fire at the"
            " statements of a sync: they do no harm"
        ),
    ] = False

    def variable(self, kept_columns: Sequence[Any]) -> str:
        """Return DbSync's variable: these rules, with the columns that are really kept.

        A flag that is false is left out.
        """
        rules = {**self.model_dump(), "keep": kept_columns}
        return json.dumps({name: value for name, value in rules.items() if value is not False})
