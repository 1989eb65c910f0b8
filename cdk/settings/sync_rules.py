"""The settings of what a sync leaves alone, masks or lets follow; DbSync reads its `SyncRules`."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from cdk.settings.block import Block
from cdk.settings.values import (
    FollowingColumns,
    KeptColumn,
    MaskedColumns,
    ReviewedColumn,
    TableName,
)
from common.follow.rules import FollowRules
from db_sync.mask.rules import MaskRules, Unreviewed


class SyncRuleSettings(Block):
    """Which tables and columns are left alone, masked or follow a sub; what a sync may set off."""

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
    follow: Annotated[
        FollowingColumns,
        Field(
            description="columns that hold users' subs, each with the `sub_column`: they follow it"
            " in the sync and in the remap. Columns with a foreign key to it do so without an"
            " entry here. `null`: the column stays as it is, and no warning names it"
        ),
    ] = {}
    mask: Annotated[
        MaskedColumns,
        Field(
            description="columns that change on the way, each with a kind of mask"
            " ([masking.md](masking.md))"
        ),
    ] = {}
    reviewed: Annotated[
        tuple[ReviewedColumn, ...],
        Field(description="columns that may be in staging as they are, though they look personal"),
    ] = ()
    unreviewed: Annotated[
        Unreviewed,
        Field(
            description="what happens to columns that look personal and have neither a mask nor a"
            " place in `reviewed`, once there is one of the two: a warning, a failed sync, or a"
            " mask by default"
        ),
    ] = "warn"
    event_triggers_ok: Annotated[
        bool,
        Field(
            description="if staging's role cannot disable event triggers, let them fire at the"
            " statements of a sync: they do no harm"
        ),
    ] = False
    parallel_query: Annotated[
        bool | None,
        Field(
            description="`true`: both servers read each table with as many processes as"
            " `max_parallel_workers_per_gather` allows. `false`: PostgreSQL decides. Without it:"
            " `true` if the servers have different addresses"
        ),
    ] = None

    def variable(self, kept_columns: Sequence[Any]) -> str:
        """Return DbSync's variable: these rules, with the columns that are really kept."""
        named = self.model_dump(include={"exclude", "include"})
        others = self.model_dump(exclude=named.keys() | {"keep"}, exclude_defaults=True)
        return json.dumps({**named, "keep": kept_columns, **others})

    @property
    def followers(self) -> FollowRules:
        """The rules about columns that follow a sub, as both Lambdas parse them."""
        return FollowRules.parse(self.follow)

    @property
    def masks(self) -> MaskRules:
        """The rules about masks, as DbSync parses them."""
        return MaskRules.parse(self.model_dump(mode="json"))
