"""Which Lambdas run for an input, what each receives, and what the execution returns."""

from typing import Any

import pytest

from common.errors import OutOfTime
from tests.statemachine.lambdas import RESULTS, Lambdas
from tests.statemachine.workflow import Workflow

DB_SYNC = {"db_sync": RESULTS["db_sync"]}
COGNITO_MAPPING = {"cognito_mapping": RESULTS["update_db"]}
ALL = ["db_sync", "list_cognito_users", "update_db"]
COGNITO = ["list_cognito_users", "update_db"]

ROUTES: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    ({}, ["db_sync"], DB_SYNC),
    ({"Comment": "Insert your JSON here"}, ["db_sync"], DB_SYNC),
    ({"sync_cognito": False}, ["db_sync"], DB_SYNC),
    ({"sync_cognito": True}, ALL, DB_SYNC | COGNITO_MAPPING),
    ({"cognito_only": False}, ["db_sync"], DB_SYNC),
    ({"cognito_only": True}, COGNITO, COGNITO_MAPPING),
    ({"cognito_only": True, "sync_cognito": True}, COGNITO, COGNITO_MAPPING),
    ({"cognito_only": True, "sync_cognito": False}, COGNITO, COGNITO_MAPPING),
    ({"cognito_only": False, "sync_cognito": True}, ALL, DB_SYNC | COGNITO_MAPPING),
    ({"dry_run": True}, ["db_sync"], DB_SYNC),
    ({"dry_run": True, "sync_cognito": True}, ALL, DB_SYNC | COGNITO_MAPPING),
    ({"dry_run": True, "cognito_only": True}, COGNITO, COGNITO_MAPPING),
]


@pytest.mark.parametrize(("document", "called", "output"), ROUTES)
def test_an_input_runs_its_lambdas_and_the_output_has_only_their_results(
    workflow: Workflow,
    lambdas: Lambdas,
    document: dict[str, Any],
    called: list[str],
    output: dict[str, Any],
) -> None:
    outcome = workflow.run(document)

    assert (outcome.status, outcome.error, outcome.cause) == ("SUCCEEDED", None, None)
    assert lambdas.called == called
    assert outcome.output == output


def test_each_lambda_receives_the_executions_name_and_input_and_the_remap_the_listing(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    document = {"sync_cognito": True, "dry_run": True, "Comment": {"asked by": "the on-call"}}

    outcome = workflow.run(document)

    event = {"execution": outcome.name, "input": document}
    assert lambdas.calls == [
        ("db_sync", event),
        ("list_cognito_users", event),
        ("update_db", {**event, "cognito_users": RESULTS["list_cognito_users"]}),
    ]


def test_without_a_sync_the_lambdas_receive_the_same(workflow: Workflow, lambdas: Lambdas) -> None:
    document = {"cognito_only": True}

    outcome = workflow.run(document)

    event = {"execution": outcome.name, "input": document}
    assert lambdas.calls == [
        ("list_cognito_users", event),
        ("update_db", {**event, "cognito_users": RESULTS["list_cognito_users"]}),
    ]


@pytest.mark.parametrize("field", ["sync_cognito", "cognito_only"])
def test_no_state_after_the_first_lambda_passes_the_input_on(
    workflow: Workflow, field: str
) -> None:
    outcome = workflow.run({field: True, "Comment": "for jane@example.com"})

    routed = outcome.exits()
    first = routed.pop("CognitoOnly?")
    assert "jane@example.com" in str(first), "the first state only routes"
    assert {"ListCognitoUsers", "UpdateDatabase", "Done"} <= routed.keys()
    for state, passed_on in routed.items():
        assert passed_on.keys() <= {"db_sync", "cognito_mapping"}, state
        assert "jane@example.com" not in str(passed_on), state


@pytest.mark.parametrize("field", ["sync_cognito", "cognito_only"])
def test_a_listing_is_continued_until_it_is_done(
    workflow: Workflow, lambdas: Lambdas, field: str
) -> None:
    listed = RESULTS["list_cognito_users"]
    answers = iter([{**listed, "users": 7, "done": False}, {**listed, "done": False}, listed])
    lambdas.functions["list_cognito_users"] = lambda _event, _context: next(answers)

    outcome = workflow.run({field: True})

    assert outcome.status == "SUCCEEDED"
    assert outcome.output["cognito_mapping"] == RESULTS["update_db"]
    event = {"execution": outcome.name, "input": {field: True}}
    assert lambdas.calls[-4:] == [
        *[("list_cognito_users", event)] * 3,  # the state does not carry the listing's progress
        ("update_db", {**event, "cognito_users": listed}),
    ]


def test_a_listing_that_fails_while_it_is_continued_ends_the_execution(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    answers = iter([{**RESULTS["list_cognito_users"], "done": False}])

    def list_once(_event: object, _context: object) -> dict[str, Any]:
        for answer in answers:
            return answer
        raise OutOfTime("The time was up.")

    lambdas.functions["list_cognito_users"] = list_once

    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", "OutOfTime")
    assert lambdas.called == ["db_sync", "list_cognito_users", "list_cognito_users"]
