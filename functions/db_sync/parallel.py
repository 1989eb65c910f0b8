"""Whether the servers compute fingerprints with several processes each.

Two servers on one machine already share its cores: while both are read, more processes only get in
each other's way. While rows are written and verified, only the target is read.
"""

from common.postgres.database import Session
from db_sync.run import Run

# What PostgreSQL charges for a parallel plan, and for each row that a worker hands over. Since it
# expects a range for each row, it would often read a table in one process. How many workers it may
# use, and from which size of a table on, the server's own settings say.
SETTINGS = {"parallel_setup_cost": 0, "parallel_tuple_cost": 0}
ADDRESS = "SELECT pg_catalog.inet_server_addr()"  # NULL through a Unix socket


def allow_parallel_verification(run: Run) -> None:
    """Let the target's server read tables in parallel for the rest of the writing transaction.

    Unless the rule `parallel_query` forbids it.
    """
    if run.options.rules.parallel_query is not False:
        run.target.set_local(**SETTINGS)


def allow_parallel_comparison(run: Run) -> None:
    """Let both servers read tables in parallel for the rest of their transactions.

    Only if the rule `parallel_query` says so; without it, if they are on different machines.
    """
    wanted = run.options.rules.parallel_query
    if wanted is None:
        wanted = _are_apart(run.source, run.target)
    if wanted:
        for session in (run.source, run.target):
            session.set_local(**SETTINGS)


def _are_apart(source: Session, target: Session) -> bool:
    """Return whether two servers have different addresses; of a socket nothing is known."""
    (ours,), (theirs,) = source.row(ADDRESS), target.row(ADDRESS)
    return None not in {ours, theirs} and ours != theirs
