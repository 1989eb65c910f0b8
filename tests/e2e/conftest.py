"""One sandbox for all tests of a run; both databases are reset after each test."""

from collections.abc import Iterator

import pytest

from sandbox.account import StagingAccount, staging_account
from tests.e2e.tools import SCHEDULE, end_executions, reset_databases, save_databases

# The schedule fires a minute after it was created at the earliest: the other tests run meanwhile.
LAST = "test_schedule_fires.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == LAST)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[StagingAccount]:
    """A staging account with a schedule."""
    with staging_account(schedule=SCHEDULE) as account:
        save_databases(account)
        yield account


@pytest.fixture
def account(sandbox: StagingAccount) -> Iterator[StagingAccount]:
    """The staging account; after the test, its executions are ended and the databases reset."""
    yield sandbox
    end_executions(sandbox)
    reset_databases(sandbox)
