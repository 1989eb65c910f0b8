"""SQL files: every query that is longer than a line has its own, named for what it does."""

import functools
from pathlib import Path

FUNCTIONS = Path(__file__).parents[2]


@functools.cache
def load_query(package: str, name: str) -> str:
    """Return the text of `<package>/queries/<name>.sql`, with a package like "db_sync/write"."""
    return (FUNCTIONS / package / "queries" / f"{name}.sql").read_text()
