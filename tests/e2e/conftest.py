"""One sandbox for all tests of a run; both databases are reset after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.account import StagingAccount, staging_account
from tests.e2e.tools import SCHEDULE, end_executions, reset_databases, save_databases

# The schedule fires a minute after it was created at the earliest: the other tests run meanwhile.
LAST = "test_schedule_fires.py"
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == LAST)
    for item in items:
        # The hook also gets the tests of other folders.
        if item.path.is_relative_to(HERE) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("e2e"))


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
