"""The tables in which migration tools note what was applied to *this* database."""

from common.postgres.names import Name
from db_sync.rules import SyncRules

# By name, in any schema: the tools' defaults. These names are nobody else's.
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
# These might be an application's own: each is named in a warning.
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


def migration_table(name: Name, rules: SyncRules) -> tuple[str, bool] | None:
    """Return why a table is left alone as a migration tool's, and whether that is expected.

    None where it is no such table, or the rules include it.
    """
    if name in rules.include:
        return None
    if name.name in UNMISTAKABLE:
        return "it belongs to a migration tool", True
    if tool := TOOLS.get(name.name):
        reason = (
            f"{tool} notes in a table of this name which migrations were applied; to sync it all"
            f' the same, add {{"include": ["{name}"]}} to the sync rules'
        )
        return reason, False
    return None
