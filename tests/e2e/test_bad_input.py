"""Input that the workflow does not accept ends the execution before anything is changed."""

import pytest

from sandbox.account import StagingAccount
from tests.e2e.tools import assert_refused


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"sync_cognito": "true"}, '"sync_cognito" must be true or false, not a string'),
        ({"cognito_only": "true"}, '"cognito_only" must be true or false, not a string'),
        ({"dry_run": 1}, '"dry_run" must be true or false, not a number'),
        ({"sync_cognito": None}, '"sync_cognito" must be true or false, not null'),
        ({"sync_congito": True}, '"sync_congito" is not a field of the input'),
        ({"cognito_only": True, "dry_rnu": True}, '"dry_rnu" is not a field of the input'),
        ([], "must be a JSON object, not an array"),
        ("x", "must be a JSON object, not a string"),
        (7, "must be a JSON object, not a number"),
    ],
)
def test_an_input_that_is_not_accepted_is_refused_by_name(
    account: StagingAccount, document: object, sentence: str
) -> None:
    accepted = "Accepted are sync_cognito, cognito_only, dry_run"
    assert_refused(account, document, sentence, accepted, error="InvalidInput")
