"""Rows that were added to tables of extensions are not copied, but a warning names the tables."""

import pytest

from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.databases import Databases

# As pg_extension_config_dump() would register the table in the extension's script; only rows whose
# `is_own` is true are the users'.
SETTINGS = """
CREATE EXTENSION vector;
CREATE TABLE "Set%tings" (v int, is_own bool);
CREATE SEQUENCE numbers;
ALTER EXTENSION vector ADD TABLE "Set%tings";
ALTER EXTENSION vector ADD SEQUENCE numbers;
UPDATE pg_extension SET
    extconfig = ARRAY['"Set%tings"'::regclass, 'numbers'::regclass]::oid[],
    extcondition = ARRAY['WHERE "Set%tings".is_own', '']
WHERE extname = 'vector';
INSERT INTO "Set%tings" VALUES (1, true);
"""


def test_a_warning_names_an_extensions_table_if_the_rows_that_were_added_to_it_differ(
    databases: Databases,
) -> None:
    pair = databases.pair(SETTINGS, source="SELECT nextval('numbers')")
    pair.target.execute("""INSERT INTO "Set%tings" VALUES (7, false)""")
    assert sync(pair).warnings == ()
    pair.source.execute("""UPDATE "Set%tings" SET v = 2""")

    counted = sync(pair, dry_run=True)
    result = sync(pair)

    assert result.status == "unchanged"
    assert result.warnings == counted.warnings
    assert result.warnings == (
        "Table public.Set%tings belongs to the extension vector and is not synced, but the rows"
        " that were added to it differ (1 in the source, 1 in the target). Copy them by hand,"
        " or exclude the table.",
    )
    assert result.left_alone == {"public.Set%tings": "it belongs to the extension vector"}
    rules = SyncRules.parse('{"exclude": ["public.Set%tings"]}')
    excluding = sync(pair, rules=rules)
    assert excluding.warnings == ()
    assert excluding.left_alone == {"public.Set%tings": "excluded by a rule"}
    pair.source.execute("DROP EXTENSION vector")
    assert "0 in the source, 1 in the target" in sync(pair).warnings[0]
    # own_tables would hand the extension's table over, too.
    target = own_tables(pair, "table_owner")
    pair.target.execute("""ALTER TABLE "Set%tings" OWNER TO CURRENT_USER""")
    (warning,) = sync(pair, target=target).warnings
    assert "one of our roles may not read them all" in warning


def test_a_warning_names_the_table_of_postgis_if_a_reference_system_was_added(
    system_databases: Databases,
) -> None:
    available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'"
    if not system_databases.make().value(available):
        pytest.skip(
            "needs PostGIS beside the system's PostgreSQL: on Debian apt-get install"
            " postgresql-postgis"
        )
    own = """
        INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
        SELECT 910001, 'own', 1, srtext, proj4text FROM spatial_ref_sys WHERE srid = 4326
        """
    pair = system_databases.pair("CREATE EXTENSION postgis", source=own)

    (warning,) = sync(pair).warnings

    assert "public.spatial_ref_sys belongs to the extension postgis" in warning
    assert "1 in the source, 0 in the target" in warning
    pair.target.execute(own)
    assert sync(pair).warnings == ()
