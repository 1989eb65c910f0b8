"""Fixtures that several folders of tests share: real PostgreSQL databases, made fast."""

from collections.abc import Iterator

import pytest

from sandbox.postgres import EmbeddedPostgres, temporary_server
from tests.databases import Databases


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL server for all tests of a run."""
    with temporary_server() as running:
        yield running


@pytest.fixture(scope="session")
def database_templates(server: EmbeddedPostgres) -> Databases:
    """The maker of databases, which keeps a template for each schema."""
    return Databases(server)


@pytest.fixture
def databases(database_templates: Databases) -> Iterator[Databases]:
    """The maker of databases; those of a test are dropped when it ends."""
    yield database_templates
    database_templates.drop_all()
