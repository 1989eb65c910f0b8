import inspect

import pytest

from common import errors

# The contract's names, which Step Functions shows and the state machine's Retry fields use.
CONTRACT = [
    "InvalidInput",
    "ConfigurationError",
    "TargetNotAllowed",
    "SyncInProgress",
    "SchemaMismatch",
    "TargetBusy",
    "DatabaseUnavailable",
    "CognitoUnavailable",
    "VerificationFailed",
    "OutOfTime",
]


@pytest.mark.parametrize("name", CONTRACT)
def test_an_error_of_the_contract_has_its_name_and_the_one_root(name: str) -> None:
    error = getattr(errors, name)("What happened. What to do.")

    assert type(error).__name__ == name
    assert isinstance(error, errors.StagingSyncError)
    assert str(error) == "What happened. What to do."


def test_there_are_no_errors_beside_the_contract() -> None:
    classes = inspect.getmembers(errors, inspect.isclass)
    defined = {name for name, of in classes if of.__module__ == errors.__name__}

    assert defined == {"StagingSyncError", *CONTRACT}


def test_no_error_is_a_kind_of_another_so_that_a_name_means_one_thing() -> None:
    for name in CONTRACT:
        assert getattr(errors, name).__bases__ == (errors.StagingSyncError,)
