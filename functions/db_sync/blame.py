"""Which table an error came from: the server does not always say."""

from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import SchemaMismatch
from db_sync.plan import TablePlan


@contextmanager
def naming(plan: TablePlan) -> Iterator[None]:
    """Name the table that is read or written, and what is converted, in an error.

    Raises:
        SchemaMismatch: as in the with statement, with that sentence.
    """
    try:
        yield
    except SchemaMismatch as error:
        converted = ", ".join(column.name for column in plan.compared if column.conversion)
        converting = f", converting {converted}" if converted else ""
        raise SchemaMismatch(f"{error} The table is {plan.name}{converting}.") from error
