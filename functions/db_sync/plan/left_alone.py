"""Which tables are not synced, and why."""

import json
from typing import NamedTuple

from common.postgres.names import Name, join_name
from db_sync.plan.catalog import Catalogs
from db_sync.rules import SyncRules

# In these tables migration tools record what was applied to *this* database.

# By name, in any schema: the tools' defaults. No application has tables of these names.
UNMISTAKABLE = frozenset(
    {
        "alembic_version",
        "django_migrations",
        "schema_migrations",  # Rails, golang-migrate, dbmate, Ecto, Sequel
        "ar_internal_metadata",
        "flyway_schema_history",
        "databasechangelog",
        "databasechangeloglock",
        "_prisma_migrations",
        "knex_migrations",
        "knex_migrations_lock",
        "goose_db_version",
        "SequelizeMeta",
        "__EFMigrationsHistory",
    }
)
# An application may have tables of these names: each is named in a warning.
TOOLS = {
    "__MigrationHistory": "Entity Framework 6",
    "VersionInfo": "FluentMigrator",
    "__diesel_schema_migrations": "Diesel",
    "__drizzle_migrations": "Drizzle",
    "_sqlx_migrations": "sqlx",
    "_yoyo_log": "yoyo",
    "_yoyo_migration": "yoyo",
    "_yoyo_version": "yoyo",
    "adonis_schema": "Adonis",
    "adonis_schema_versions": "Adonis",
    "atlas_schema_revisions": "Atlas",
    "doctrine_migration_versions": "Doctrine",
    "gorp_migrations": "gorp",
    "kysely_migration": "Kysely",
    "kysely_migration_lock": "Kysely",
    "migrations": "TypeORM or Laravel",
    "mikro_orm_migrations": "MikroORM",
    "pgmigrations": "node-pg-migrate",
    "phinxlog": "Phinx",
    "play_evolutions": "Play Evolutions",
    "play_evolutions_lock": "Play Evolutions",
    "refinery_schema_history": "refinery",
    "schema_info": "Sequel",
    "schemaversions": "DbUp",
    "typeorm_metadata": "TypeORM",
    "yoyo_lock": "yoyo",
}


EXCLUDED = "excluded by a rule"


class Reason(NamedTuple):
    """Why a table is left alone; a reason that is not expected becomes a notice.

    `mend` is the rule with which there is none.
    """

    text: str
    is_expected: bool
    mend: str = ""


def why_left_alone(
    name: Name, catalogs: Catalogs, rules: SyncRules, *, dry_run: bool
) -> Reason | None:
    """Return why a table is not synced; None if it is synced."""
    if name in rules.exclude:
        return Reason(EXCLUDED, is_expected=True)
    if name not in rules.include and (reason := _of_migration_tool(name)):
        return reason
    source, target = catalogs.source.tables.get(name), catalogs.target.tables.get(name)
    if source is None or target is None:
        side = "target" if source is None else "source"
        rule = _rule("exclude", name)
        return Reason(f"it exists in the {side} only", is_expected=False, mend=rule)
    for text, applies in {
        "one of its partitions is a foreign table": (
            source.has_foreign_partition or target.has_foreign_partition
        ),
        "it is unlogged, and the source is a standby, which has no rows of such a table": (
            source.is_unlogged and catalogs.source.facts.is_standby
        ),
        "row level security hides its rows from the target's role, and a dry run keeps it on": (
            target.rights.has_policies and dry_run
        ),
    }.items():
        if applies:
            return Reason(text, is_expected=False, mend=_rule("exclude", name))
    return None


def _of_migration_tool(name: Name) -> Reason | None:
    """Return why a table is left alone as a migration tool's; None if it is not one."""
    if name.name in UNMISTAKABLE:
        return Reason("it belongs to a migration tool", is_expected=True)
    if tool := TOOLS.get(name.name):
        rule = _rule("include", name)
        return Reason(
            f"{tool} records in a table of this name which migrations were applied; to sync it"
            f" anyway, add {rule} to the sync rules",
            is_expected=False,
            mend=rule,
        )
    return None


def _rule(kind: str, name: Name) -> str:
    """Return a sync rule for one table, as JSON."""
    return json.dumps({kind: [join_name(*name)]}, ensure_ascii=False)
