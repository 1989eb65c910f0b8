"""Which comments of a database mark it as a sync target."""

import pytest

from common.errors import TargetNotAllowed
from common.postgres.database import connect
from common.postgres.target import is_marked
from tests.integration.db_sync.syncing import sync
from tests.support.databases import Databases

MARK = "staging-sync target"
ROWS = "CREATE TABLE t (id int PRIMARY KEY)"


@pytest.mark.parametrize(
    ("comment", "marked"),
    [
        (MARK, True),
        (f"  {MARK}\t", True),
        (f"Staging of the shop.\n{MARK}", True),
        (f"{MARK}\r\nAsk the platform team.", True),
        ("PRODUCTION - this is not a staging-sync target", False),
        (f"{MARK}: no longer!", False),
        (f"-- {MARK}", False),
        ("Staging-Sync Target", False),
        ("", False),
    ],
)
def test_the_mark_is_the_comment_or_a_line_of_it(
    databases: Databases, comment: str, marked: bool
) -> None:
    database = databases.make()
    database.execute(f"COMMENT ON DATABASE {database.name} IS '{comment}'")

    with connect(database.address, "target", execution="test") as session:
        session.begin()
        assert is_marked(session) == marked


def test_a_comment_that_only_mentions_the_mark_is_refused_and_may_stay_beside_it(
    databases: Databases,
) -> None:
    pair = databases.pair(ROWS, source="INSERT INTO t VALUES (1)")
    comment = f"COMMENT ON DATABASE {pair.target.name} IS 'Not a staging-sync target"
    pair.target.execute(f"{comment}'")

    with pytest.raises(TargetNotAllowed, match=r"replaces the comment .* a line of their own"):
        sync(pair)

    assert pair.target.value("SELECT count(*) FROM t") == 0
    pair.target.execute(f"{comment}\n{MARK}'")
    assert sync(pair).status == "synced"
