"""How the servers' planners may read our tables: fast, and where it counts without an index.

An index can lack rows that its table has: after an upgrade of the system's libc or ICU, which
sort texts otherwise, or after a fault of disk or memory. What both sides hold is therefore read
from the tables themselves. An index serves to find the rows of a few ranges; how many it finds
is compared with that (`verify.require_all_found`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from common.postgres.database import Session

# An index scan reads the table's row, an index-only scan what the index took it for.
INDEX_SCANS = ("enable_indexscan", "enable_bitmapscan")
SETTINGS = {
    # Whole groups in memory, and no sort on disk: the planner expects far too many groups.
    "work_mem": "64MB",
    "enable_sort": "off",
    "enable_indexonlyscan": "off",
    # What a role or database switched off would drive the planner to an index, or to a whole table.
    "enable_seqscan": "on",
    **dict.fromkeys(INDEX_SCANS, "on"),
}


def prepare(session: Session) -> None:
    """Set what our statements' plans need, for the transaction."""
    session.set_local(**SETTINGS)


@contextmanager
def tables_themselves(*sessions: Session) -> Iterator[None]:
    """Read tables without their indexes, for a with statement that only reads.

    Nothing is set back where the body fails: the transactions are lost then.
    """
    for session in sessions:
        session.set_local(**dict.fromkeys(INDEX_SCANS, "off"))
    yield
    for session in sessions:
        session.set_local(**dict.fromkeys(INDEX_SCANS, "on"))
