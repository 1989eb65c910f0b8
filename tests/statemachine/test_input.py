"""An invalid input ends the execution before anything is changed."""

import pytest

from tests.statemachine.lambdas import Lambdas
from tests.statemachine.workflow import Workflow

NOT_AN_OBJECT = "The input must be a JSON object"


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], NOT_AN_OBJECT),
        ([{"sync_cognito": True}], NOT_AN_OBJECT),
        ("x", NOT_AN_OBJECT),
        ("true", NOT_AN_OBJECT),
        ("", NOT_AN_OBJECT),
        (5, NOT_AN_OBJECT),
        (0, NOT_AN_OBJECT),
        (True, NOT_AN_OBJECT),
        (None, NOT_AN_OBJECT),
        ({"sync_cognito": "true"}, '"sync_cognito" must be true or false, not a string'),
        ({"sync_cognito": 1}, '"sync_cognito" must be true or false, not a number'),
        ({"sync_cognito": None}, '"sync_cognito" must be true or false, not null'),
        ({"sync_congito": True}, '"sync_congito" is not a field'),
        ({"sync_cognito": True, "tables": []}, '"tables" is not a field'),
        ({"cognito_only": "true"}, '"cognito_only" must be true or false, not a string'),
        ({"cognito_only": [True]}, '"cognito_only" must be true or false, not an array'),
        ({"dry_run": {}}, '"dry_run" must be true or false, not an object'),
        ({"comment": "in lower case"}, '"comment" is not a field'),
        # EventBridge Scheduler's default, if a schedule sets no Input.
        ({"version": "0", "source": "aws.scheduler", "detail": "{}"}, '"version" is not a field'),
    ],
)
def test_a_bad_input_is_refused_by_the_first_lambda_with_the_field_named(
    workflow: Workflow, lambdas: Lambdas, document: object, named: str
) -> None:
    outcome = workflow.run(document)

    assert (outcome.status, outcome.error) == ("FAILED", "InvalidInput")
    assert named in outcome.sentence
    assert lambdas.called == ["db_sync"], "no retry, and no other Lambda"
    assert outcome.output is None


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"cognito_only": True, "dry_run": "false"}, '"dry_run" must be true or false'),
        ({"cognito_only": True, "sync_congito": True}, '"sync_congito" is not a field'),
    ],
)
def test_without_a_sync_the_listing_refuses_a_bad_input(
    workflow: Workflow, lambdas: Lambdas, document: object, named: str
) -> None:
    outcome = workflow.run(document)

    assert (outcome.status, outcome.error) == ("FAILED", "InvalidInput")
    assert named in outcome.sentence
    assert lambdas.called == ["list_cognito_users"]
