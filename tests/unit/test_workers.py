"""A run in several processes deploys one sandbox, and synthesizes each stack once."""

import pytest

from tests.support.workers import group_of


@pytest.mark.parametrize("folder", ["tests/e2e", "tests/infra"])
def test_a_folder_that_shares_what_takes_long_to_set_up_is_one_group(folder: str) -> None:
    tests = (f"{folder}/test_one.py::test_a[x::y/z]", f"{folder}/test_other.py::test_b")
    assert {group_of(test) for test in tests} == {folder}


@pytest.mark.parametrize(
    "file",
    [
        "tests/e2e/test_guide_followed.py",
        "tests/integration/test_tls.py",
        "tests/integration/db_sync/test_sync.py",
    ],
)
def test_any_other_file_is_a_group_of_its_own(file: str) -> None:
    tests = (f"{file}::test_a", f"{file}::test_b[tests/e2e]")
    assert {group_of(test) for test in tests} == {file}
