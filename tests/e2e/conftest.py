"""One sandbox for all tests of a run; each test finds both databases as the first one did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.account import StagingAccount, staging_account
from tests.e2e.tools import SCHEDULE, end_executions, reset_databases, save_databases

# It fires no sooner than a minute after it was made: the other tests run meanwhile.
LAST = "test_schedule_fires.py"
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == LAST)
    for item in items:
        # The hook is shown the other folders' tests too.
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
    """The staging account; what a test leaves running is ended, and the databases are reset."""
    yield sandbox
    end_executions(sandbox)
    reset_databases(sandbox)
