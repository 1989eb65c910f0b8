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
        Field(description="tables of migration tools that are synced all the same"),
    ] = ()
    keep: Annotated[
        tuple[KeptColumn, ...],
        Field(
            description="columns that belong to staging; one whose values are a person's is kept"
            " only while the columns in `while_same` are alike on both sides. The users'"
            " `sub_column` is one of them without being named, while `email_column` is alike, where"
            " a pool is set"
        ),
    ] = ()
    event_triggers_ok: Annotated[
        bool,
        Field(
            description="staging's event triggers do no harm where its role cannot silence them:"
            " they may fire at the statements of a sync"
        ),
    ] = False

    def variable(self, kept_columns: Sequence[Any]) -> str:
        """Return DbSync's variable: these rules, with the columns that are really kept.

        A flag that is false is left out.
        """
        rules = {**self.model_dump(), "keep": kept_columns}
        return json.dumps({name: value for name, value in rules.items() if value is not False})
