"""A role that owns nothing."""

from collections.abc import Iterator

import pytest

from tests.support.databases import Databases


@pytest.fixture
def role(databases: Databases) -> Iterator[str]:
    """A role that may only log in."""
    anywhere = databases.make()
    anywhere.execute("CREATE ROLE plain LOGIN")
    yield "plain"
    databases.drop_all()  # with what it owns and what it was granted
    anywhere.server.execute("postgres", "DROP ROLE plain")
