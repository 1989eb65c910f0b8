"""Row level security in the source: policies that may hide a row are refused, others are not."""

import pytest

from common.errors import ConfigurationError
from common.postgres.database import connect
from tests.integration.db_sync.roles import statements_in, sync_as
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases

# A row is visible to the table's owner, to roles that bypass policies, and to the role named in v.
POLICY = """
CREATE TABLE a (id int PRIMARY KEY, v text);
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON a USING (v = current_user)
"""


def test_policies_on_the_source_are_an_error_that_names_every_table(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        POLICY + "; CREATE TABLE b (id int); ALTER TABLE b ENABLE ROW LEVEL SECURITY",
        source="INSERT INTO a VALUES (1, 'plain'), (2, 'other')",
    )
    pair.source.execute(f"GRANT SELECT ON a, b TO {role}")

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, source=role)

    message = str(refusal.value)
    assert "Row level security hides rows of public.a, public.b from the source role" in message
    assert pair.target.value("SELECT count(*) FROM a") == 0
    *policies, bypass = statements_in(message)
    assert bypass == 'ALTER ROLE "plain" BYPASSRLS;'
    for policy in policies:
        pair.source.execute(policy)
    sync_as(pair, source=role)
    assert_same(pair)


@pytest.mark.parametrize(
    "policies",
    [
        # It shows every row, but conditions are not evaluated.
        "CREATE POLICY two ON a USING (v = 'plain' OR true)",
        "CREATE POLICY two ON a FOR UPDATE USING (true)",
        "CREATE POLICY two ON a FOR SELECT TO pg_monitor USING (true)",
        "CREATE POLICY two ON a FOR SELECT USING (true);"
        " CREATE POLICY three ON a AS RESTRICTIVE FOR SELECT USING (v = current_user)",
    ],
)
def test_a_policy_that_does_not_show_every_row_for_certain_is_not_trusted(
    databases: Databases, role: str, policies: str
) -> None:
    pair = databases.pair(POLICY, source="INSERT INTO a VALUES (1, 'plain'), (2, 'other')")
    pair.source.execute(f"GRANT SELECT ON a TO {role}; {policies}")

    with pytest.raises(ConfigurationError, match=r"Row level security hides rows of public\.a"):
        sync_as(pair, source=role)


def test_policies_that_are_restrictive_or_for_a_role_that_ours_is_a_member_of_count_too(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(POLICY, source="INSERT INTO a VALUES (1, 'plain'), (2, 'other')")
    pair.source.execute(
        f"GRANT SELECT ON a TO {role}; GRANT pg_monitor TO {role};"
        " CREATE POLICY two ON a FOR SELECT TO pg_monitor USING (true);"
        " CREATE POLICY three ON a AS RESTRICTIVE USING (true)"
    )
    try:
        sync_as(pair, source=role)
    finally:
        pair.source.execute(f"REVOKE pg_monitor FROM {role}")

    assert_same(pair)


def test_a_column_that_must_be_converted_is_read_through_the_policy_too(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(POLICY, source="INSERT INTO a VALUES (1, 'one'), (2, 'two')")
    pair.target.execute("DROP POLICY own ON a; ALTER TABLE a ALTER v TYPE varchar(3)")
    pair.source.execute(
        f"GRANT SELECT ON a TO {role}; CREATE POLICY reads ON a FOR SELECT TO {role} USING (true)"
    )

    sync_as(pair, source=role)

    assert pair.target.rows("SELECT id, v FROM a ORDER BY id") == [(1, "one"), (2, "two")]


def test_a_policy_that_is_added_after_the_plan_raises_an_error_and_hides_no_row(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE a (id int PRIMARY KEY, v text)",
        source="INSERT INTO a VALUES (1, 'plain'), (2, 'other')",
    )
    pair.source.execute(f"ALTER TABLE a OWNER TO {role}; {POLICY.partition(';')[2]}")
    with connect(pair.source.address_as(role), "source", execution="test") as source:
        with source.transaction():
            assert source.row("SELECT count(*) FROM public.a") == (
                2,
            )  # policies do not apply to the owner
        pair.source.execute("ALTER TABLE a FORCE ROW LEVEL SECURITY")

        message = "row-level security policy"
        with pytest.raises(ConfigurationError, match=message), source.transaction():
            source.row("SELECT count(*) FROM public.a")
