"""The rules between settings that name columns: those of the sync, and of the users' table."""

import json
from collections.abc import Iterator, Mapping

from cdk.settings.model import Settings
from common.errors import ConfigurationError
from common.follow.rules import FollowRules
from common.postgres.names import Name, TableColumn
from db_sync.rules import KeptColumns, SyncRules

SIDES = ("prod", "staging")
# Masks by which a sub stays one row's own, or none's.
SUB_MASKS = ("null", "hash", "uuid")
# Characters of the rule "follow": it is among UpdateDb's variables, which may have 4 KB together
# (Lambda developer guide, "Lambda quotas").
MOST_FOLLOW = 2000

type Kept = Mapping[Name, KeptColumns]


def column_contradictions(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong, which begins with a field."""
    try:
        kept = SyncRules.parse(json.dumps({"keep": settings.kept_columns})).keep
    except ConfigurationError as error:  # the entries are each well formed
        yield f"sync_rules.keep: {error}"
        kept = {}
    yield from _kept_columns(kept)
    yield from _followers(settings, kept)
    yield from _masks(settings)


def _kept_columns(kept: Kept) -> Iterator[str]:
    """Check the rule about the columns that belong to staging."""
    for table, columns in kept.items():
        compared = {column for while_same in columns.values() for column in while_same}
        for column in sorted(compared & columns.keys()):
            yield (
                f"sync_rules.keep names {table}.{column} as kept and in while_same: what belongs to"
                " staging cannot tell whether a row is the same person's."
            )


def _followers(settings: Settings, kept: Kept) -> Iterator[str]:
    """Check that what follows a sub follows the users' one, and belongs to nobody else."""
    rules, sub = settings.sync_rules.followers, settings.sub
    others = sorted(rules.followed - {sub})
    for other in others:
        yield (
            f"sync_rules.follow names {other} as the column to follow, but the subs are in"
            f" users_table and sub_column, {sub}."
        )
    if not others:
        yield from _kept_followers(settings.sub, rules, kept)
    size = len(settings.follow_variable or "")
    if size > MOST_FOLLOW:
        yield (
            f"sync_rules.follow has {size:,} characters, and UpdateDb has room for"
            f" {MOST_FOLLOW:,} among its variables: name columns that are called alike by one"
            " pattern, like *.created_by_sub; those with a foreign key are found without a rule."
        )


def _kept_followers(sub: TableColumn, rules: FollowRules, kept: Kept) -> Iterator[str]:
    """Check that no follower is the sub column itself, or a column that belongs to staging."""
    owned = {TableColumn(table, column) for table, columns in kept.items() for column in columns}
    for column in sorted(owned | {sub}):
        try:
            rule = rules.rule_of(column)
        except ConfigurationError as error:
            yield f"sync_rules.follow: {error}"
            continue
        if rule is None or rule.followed is None:
            continue
        if column == sub:
            yield f"sync_rules.follow names the sub_column {sub} itself, which follows the pool."
        else:
            yield (
                f'sync_rules.follow names {column} by "{rule.pattern.text}", and sync_rules.keep'
                " names it too: what belongs to staging follows nobody. Remove it from one of"
                " them."
            )


def _masks(settings: Settings) -> Iterator[str]:
    """Check that masks have a key of their own, and that people are found in spite of them."""
    key = settings.mask_key_secret_arn
    if settings.sync_rules.masks.needs_key and not key:
        yield (
            "mask_key_secret_arn is missing: the masks of sync_rules depend on a key. Create one"
            " with `openssl rand -hex 32`, and name its secret."
        )
    for side in SIDES:
        if key and key == settings.secret_arn_of(side):
            yield (
                f"mask_key_secret_arn is {side}_secret_arn too: whoever may read that could test"
                " guesses. The key needs a secret of its own."
            )
    yield from _masks_of_people(settings)


def _masks_of_people(settings: Settings) -> Iterator[str]:
    """Check the masks of the two columns that the remap works with."""
    users, pool = settings.users_table, settings.user_pool_id
    try:
        email = settings.mask_of_users(settings.email_column)
        sub = settings.mask_of_users(settings.sub_column)
    except ConfigurationError as error:
        yield f"sync_rules.mask: {error}"
        return
    if pool and email and email.kind != "email":
        yield (
            f"sync_rules.mask masks the email_column {users}.{settings.email_column} as {email}:"
            ' by any other kind than "email" the remap would find nobody.'
        )
    if pool and sub and sub.kind not in SUB_MASKS:
        yield (
            f"sync_rules.mask masks the sub_column {users}.{settings.sub_column} as {sub}: new rows"
            " have what the mask makes of production's sub until the remap, and no two may have"
            f" the same; use {' or '.join(SUB_MASKS)}."
        )
