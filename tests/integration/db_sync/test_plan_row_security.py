"""Row level security on the target does not restrict a sync, and is unchanged afterwards."""

import pytest

from common.errors import SchemaMismatch, TargetBusy
from common.postgres.database import connect
from common.postgres.waits import Retry, Waits
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases

# A row is visible to the table's owner, to roles that bypass policies, and to the role named in v.
POLICY = """
CREATE TABLE a (id int PRIMARY KEY, v text);
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON a USING (v = current_user)
"""


@pytest.mark.parametrize("target_row", ["", "INSERT INTO a VALUES (1, 'two'), (3, 'x')"])
@pytest.mark.parametrize("force", ["", "ALTER TABLE a FORCE ROW LEVEL SECURITY"])
@pytest.mark.parametrize("role", ["superuser", "owner"])
def test_policies_on_the_target_do_not_restrict_a_sync_and_are_unchanged(
    databases: Databases, role: str, force: str, target_row: str
) -> None:
    pair = databases.pair(POLICY, source="INSERT INTO a VALUES (1, 'one'), (2, 'two')")
    pair.target.execute(f"{target_row}; {force}; SELECT")
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target)

    assert pair.target.rows("TABLE a ORDER BY id") == [(1, "one"), (2, "two")]
    assert pair.target.rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'a'"
    ) == [(True, bool(force))]
    assert sync(pair, target=target).status == "unchanged"


def test_forced_policies_on_partitioned_tables_and_their_children_do_not_restrict_a_sync(
    databases: Databases,
) -> None:
    pair = databases.pair(
        """
        CREATE TABLE a (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE a_low PARTITION OF a FOR VALUES FROM (0) TO (10);
        CREATE TABLE a_rest PARTITION OF a DEFAULT;
        CREATE TABLE c (a_id int REFERENCES a ON DELETE CASCADE);
        ALTER TABLE a ENABLE ROW LEVEL SECURITY; ALTER TABLE a FORCE ROW LEVEL SECURITY;
        ALTER TABLE a_low ENABLE ROW LEVEL SECURITY; ALTER TABLE a_low FORCE ROW LEVEL SECURITY;
        ALTER TABLE c ENABLE ROW LEVEL SECURITY; ALTER TABLE c FORCE ROW LEVEL SECURITY;
        """,
        source="INSERT INTO a VALUES (1), (20); INSERT INTO c VALUES (1), (20)",
        target="INSERT INTO a VALUES (2), (20); INSERT INTO c VALUES (2), (20)",
    )

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)


def test_forced_policies_are_unchanged_after_a_sync_that_fails(databases: Databases) -> None:
    pair = databases.pair(POLICY + "; ALTER TABLE a FORCE ROW LEVEL SECURITY")
    pair.source.execute("INSERT INTO a VALUES (1, 'one')")
    pair.target.execute("ALTER TABLE a ADD CHECK (v = 'two')")
    target = own_tables(pair, "table_owner")
    schema = pair.target.schema()

    with pytest.raises(SchemaMismatch, match="a_v_check"):
        sync(pair, target=target)

    assert pair.target.schema() == schema


def test_a_dry_run_leaves_a_table_with_forced_policies_alone_and_says_so(
    databases: Databases,
) -> None:
    pair = databases.pair(POLICY + "; ALTER TABLE a FORCE ROW LEVEL SECURITY")

    result = sync(pair, target=own_tables(pair, "table_owner"), dry_run=True)

    (warning,) = result.warnings
    assert "Table public.a is not synced: row level security hides its rows" in warning


def test_a_reader_of_a_table_with_forced_policies_makes_the_target_busy(
    databases: Databases,
) -> None:
    pair = databases.pair(POLICY + "; ALTER TABLE a FORCE ROW LEVEL SECURITY")
    target = own_tables(pair, "table_owner")
    with connect(pair.target.address, "target", execution="reader") as reader:
        reader.begin()
        reader.rows("SELECT * FROM public.a")

        with pytest.raises(TargetBusy, match=r"reader.*AccessShareLock on public\.a"):
            sync(pair, target=target, waits=Waits(table_locks=Retry(0.1, pause=0.3)))
