"""How the servers' planners may read tables: fast, and without an index where that matters.

An index can lack rows that its table has: after an upgrade of the system's libc or ICU that changed
the sort order of texts, or after a fault of disk or memory. So the contents of both sides are read
from the tables themselves. An index only serves to find the rows of a few ranges, and the number of
rows that it finds is compared with the table's (`compare.verify.require_all_found`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from common.postgres.database import Session

# An index scan reads the table's row, an index-only scan what the index took it for.
INDEX_SCANS = ("enable_indexscan", "enable_bitmapscan")
SETTINGS = {
    # Groups stay in memory and nothing is sorted on disk: the planner expects far too many groups.
    "work_mem": "64MB",
    "enable_sort": "off",
    "enable_indexonlyscan": "off",
    # If the role or database switched one off, the planner would choose another kind of scan.
    "enable_seqscan": "on",
    **dict.fromkeys(INDEX_SCANS, "on"),
}


def prepare(session: Session) -> None:
    """Set the planner's settings for the transaction."""
    session.set_local(**SETTINGS)


@contextmanager
def sorting(session: Session) -> Iterator[None]:
    """Let the planner sort, for a with statement that reads the catalog.

    To have rows in order without a sort, it joins by nested loops: thousands of tables take
    minutes. Nothing is reset if the body fails.
    """
    session.set_local(enable_sort="on")
    yield
    session.set_local(enable_sort="off")


@contextmanager
def tables_themselves(*sessions: Session) -> Iterator[None]:
    """Read tables without their indexes, for a with statement that only reads.

    Not in a session that reads a section of a table, which an index finds: that it finds all rows
    is seen when the whole table is counted. Nothing is reset if the body fails: the transactions
    are rolled back then.
    """
    reading = [session for session in sessions if not session.reads_section]
    for session in reading:
        session.set_local(**dict.fromkeys(INDEX_SCANS, "off"))
    yield
    for session in reading:
        session.set_local(**dict.fromkeys(INDEX_SCANS, "on"))
