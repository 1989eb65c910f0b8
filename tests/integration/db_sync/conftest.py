"""A role that owns nothing."""

from collections.abc import Iterator

import pytest

from tests.support.databases import Databases


@pytest.fixture
def role(databases: Databases) -> Iterator[str]:
    """A role that may log in and do nothing else."""
    anywhere = databases.make()
    anywhere.execute("CREATE ROLE plain LOGIN")
    yield "plain"
    databases.drop_all()  # what it owns, and what it was granted
    anywhere.server.execute("postgres", "DROP ROLE plain")
