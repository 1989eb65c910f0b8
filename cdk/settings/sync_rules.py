"""The settings of what a sync leaves alone; DbSync parses them once more (db_sync/rules.py)."""

from typing import Annotated

from pydantic import Field

from cdk.settings.block import Block
from cdk.settings.values import KeptColumn, TableName


class SyncRules(Block):
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
