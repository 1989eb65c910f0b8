"""Which table or sequence an error came from: the server does not always say."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import batched

from common.database import Session
from common.errors import DatabaseUnavailable, StagingSyncError
from common.names import Name
from common.naming import naming
from db_sync.brief_locks import AT_ONCE
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
    session: Session, kind: str, items: Sequence[N], ask: Callable[[Sequence[N]], list[A]]
) -> list[A]:
    """Ask about many in few statements; if one fails, alone about each to name the one at fault.

    The locks that asking takes are let go.

    Args:
        session: in a transaction.
        kind: "table" or "sequence".
        items: what is asked about.
        ask: asks about some of them.

    Raises:
        StagingSyncError: with the name of the first of them that cannot be asked about.
    """
    answers: list[A] = []
    session.execute("SAVEPOINT ask")
    for some in batched(items, AT_ONCE):
        try:
            answers += ask(some)
        except DatabaseUnavailable:
            raise
        except StagingSyncError:
            session.execute("ROLLBACK TO SAVEPOINT ask")
            for item in some:
                with naming(kind, item.name if isinstance(item, Table) else item):
                    ask([item])
            raise
        session.execute("ROLLBACK TO SAVEPOINT ask")
    session.execute("RELEASE SAVEPOINT ask")
    return answers
