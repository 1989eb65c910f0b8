"""Which table an error came from: the server does not always say."""

from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import SchemaMismatch
from db_sync.plan import TablePlan


@contextmanager
def naming(plan: TablePlan) -> Iterator[None]:
    """Name the table that is read, and its columns whose values may not convert, in an error.

    Raises:
        SchemaMismatch: as in the with statement, with that sentence.
    """
    try:
        yield
    except SchemaMismatch as error:
        columns = ", ".join(column.name for column in plan.compared if column.conversion)
        where = f"It was reading {plan.name}" + (f", converting {columns}." if columns else ".")
        raise SchemaMismatch(f"{error} {where}") from error
