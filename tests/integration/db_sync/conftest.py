"""A role that owns nothing, and the keepers of a pair of databases."""

from collections.abc import Iterator

import pytest

from tests.integration.db_sync.keepers import TABLES, Keepers
from tests.support.board import MemoryBoard
from tests.support.databases import Databases, Pair


@pytest.fixture
def role(databases: Databases) -> Iterator[str]:
    """A role that may only log in."""
    anywhere = databases.make()
    anywhere.execute("CREATE ROLE plain LOGIN")
    yield "plain"
    databases.drop_all()  # with what it owns and what it was granted
    anywhere.server.execute("postgres", "DROP ROLE plain")


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard()


@pytest.fixture
def keepers(pair: Pair, board: MemoryBoard) -> Keepers:
    """The keepers of the test module's pair."""
    return Keepers(pair.source.address, pair.target.address, board, TABLES)
