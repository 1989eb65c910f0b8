"""What several folders of tests share: real PostgreSQL databases, made fast; the log."""

import gc
import io
import logging
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from common.log import SERVICE, logger
from sandbox.postgres import EmbeddedPostgres, temporary_server
from tests.support.databases import Databases, system_programs
from tests.support.service_models import shared_loader
from tests.support.workers import FilesTogether


@pytest.hookimpl(optionalhook=True)  # of xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether:
    return FilesTogether(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Import the tests without garbage collections, which take a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was collected, and lives until the end, out of all later garbage collections."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _service_models_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", shared_loader)
        yield


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


@pytest.fixture(scope="session")
def system_templates() -> Iterator[Databases]:
    """The maker of databases on a server of the system's PostgreSQL, which has ICU and libxml."""
    programs = system_programs()
    if programs is None:
        pytest.skip(
            "needs a PostgreSQL server with ICU and libxml, which the wheel's lacks: install your"
            " system's (on Debian: apt-get install postgresql)"
        )
    with temporary_server(bin_dir=programs) as running:
        yield Databases(running)


@pytest.fixture
def system_databases(system_templates: Databases) -> Iterator[Databases]:
    """As `databases`, on the server of the system's PostgreSQL."""
    yield system_templates
    system_templates.drop_all()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the Lambdas' logger writes, as it writes it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    yield text
    logging.getLogger(SERVICE).removeHandler(handler)
