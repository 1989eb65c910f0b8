"""What docs/operations.md says of the mark's copies is so, and is said there alone."""

from pathlib import Path

import pytest

from sandbox.database import Database
from tests.support.databases import Databases

ROOT = Path(__file__).parents[2]
COMMENT = "IS 'staging-sync target'"


@pytest.fixture
def staging(databases: Databases) -> Database:
    staging = databases.make()
    staging.mark()
    return staging


@pytest.mark.parametrize(
    ("command", "is_marked"),
    [
        (("pg_dump", "{}"), False),
        (("pg_dump", "--create", "{}"), True),
        (("pg_dumpall", "--exclude-database", "template_*", "--database", "{}"), True),
    ],
    ids=lambda command: command[0] if isinstance(command, tuple) else None,
)
def test_a_dump_carries_the_mark_where_it_creates_the_database(
    staging: Database, command: tuple[str, ...], *, is_marked: bool
) -> None:
    dump = staging.server.run(*(part.format(staging.name) for part in command))

    assert (COMMENT in dump) == is_marked


def test_a_template_copy_is_not_marked(staging: Database) -> None:
    staging.server.execute("postgres", f"CREATE DATABASE copy TEMPLATE {staging.name}")
    try:
        marks = Database(staging.server, "copy").rows(
            "SELECT datname FROM pg_database"
            " WHERE shobj_description(oid, 'pg_database') = 'staging-sync target'"
        )
    finally:
        staging.server.execute("postgres", "DROP DATABASE copy")

    assert (staging.name,) in marks
    assert ("copy",) not in marks


def test_the_documentation_says_it_in_one_place() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    told = {page.name for page in pages if "pg_dumpall" in page.read_text()}

    assert told == {"operations.md"}
    for page in ("README.md", "docs/deployment.md", "docs/security.md"):
        assert "operations.md#mark-and-unmark-a-target" in (ROOT / page).read_text()
