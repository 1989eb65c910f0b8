"""SQL that is longer than a line stands in a file, named for what it answers."""

import functools
from pathlib import Path

FUNCTIONS = Path(__file__).parents[2]


@functools.cache
def load_query(package: str, name: str) -> str:
    """Return the text of `<package>/queries/<name>.sql`; a package is "db_sync/write", say."""
    return (FUNCTIONS / package / "queries" / f"{name}.sql").read_text()
