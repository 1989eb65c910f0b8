"""Fixtures that several folders of tests share: real PostgreSQL databases, made fast; the log."""

import io
import logging
from collections.abc import Iterator

import pytest

from common.log import logger
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


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the Lambdas' logger writes, as it writes it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    yield text
    logging.getLogger("staging-sync").removeHandler(handler)
