"""Names of many objects in sentences, and in the statements in them."""

from collections.abc import Iterable, Iterator, Sequence

from common.postgres.names import Name
from common.reports.notices import Notice, Topic

AT_ONCE = 20  # objects in one sentence, so that it stays readable


def some_of[T](items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield a few items at a time."""
    for first in range(0, len(items), AT_ONCE):
        yield items[first : first + AT_ONCE]


def listed(names: Iterable[Name]) -> str:
    """Return names for a reader."""
    return ", ".join(map(str, names))


def quoted(*parts: str) -> str:
    """Return a name as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def all_quoted(names: Iterable[Name]) -> str:
    """Return names as SQL."""
    return ", ".join(quoted(*name) for name in names)


def refused(reason: str) -> Notice:
    """Return the notice of a dry run about a reason for which a sync that writes is refused."""
    return Notice.advising(f"A sync that writes will be refused: {reason}", Topic.REFUSED)
