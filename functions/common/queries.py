"""SQL that is longer than a line stands in a file, named for what it answers."""

import functools
from pathlib import Path


@functools.cache
def load_query(package: str, name: str) -> str:
    """Return the text of `<package>/queries/<name>.sql`."""
    return (Path(__file__).parent.parent / package / "queries" / f"{name}.sql").read_text()
