"""Which table or sequence an error came from: the server does not always say."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from common.database import Session
from common.errors import DatabaseUnavailable, StagingSyncError
from common.names import Name
from common.naming import naming
from db_sync.catalog import Table
from db_sync.plan import TablePlan


@contextmanager
def converting(plan: TablePlan) -> Iterator[None]:
    """Name the columns that are converted in an error."""
    converted = ", ".join(column.name for column in plan.compared if column.conversion)
    try:
        yield
    except StagingSyncError as error:
        if not converted:
            raise
        raise error.adding(f"The table is {plan.name}, converting {converted}.") from error


def ask_at_once[N: (Table, Name), A](
    session: Session, kind: str, items: Sequence[N], ask: Callable[[Sequence[N]], A]
) -> A:
    """Ask about many in one statement; if it fails, alone about each to name the one at fault.

    Args:
        session: in a transaction.
        kind: "table" or "sequence".
        items: what is asked about.
        ask: asks about some of them.

    Raises:
        StagingSyncError: with the name of the first of them that cannot be asked about.
    """
    session.execute("SAVEPOINT ask")
    try:
        answer = ask(items)
    except DatabaseUnavailable:
        raise
    except StagingSyncError:
        session.execute("ROLLBACK TO SAVEPOINT ask")
        for item in items:
            with naming(kind, item.name if isinstance(item, Table) else item):
                ask([item])
        raise
    session.execute("RELEASE SAVEPOINT ask")
    return answer
