"""Which of a Lambda's errors are retried, and how errors end an execution."""

import boto3
import pytest

from common import errors
from tests.statemachine.lambdas import RESULTS, Lambdas, NamedError, failing
from tests.statemachine.workflow import Workflow
from tests.support.lambda_errors import NETWORK_ERRORS, SERVICE_ERRORS

ALWAYS = 100

RETRIED = [
    ("db_sync", errors.TargetBusy),
    ("db_sync", errors.DatabaseUnavailable),
    ("list_cognito_users", errors.CognitoUnavailable),
    ("update_db", errors.TargetBusy),
    ("update_db", errors.DatabaseUnavailable),
]
NOT_RETRIED = [
    errors.InvalidInput,
    errors.ConfigurationError,
    errors.TargetNotAllowed,
    errors.SyncInProgress,
    errors.SchemaMismatch,
    errors.VerificationFailed,
    errors.OutOfTime,
    errors.StagingSyncError,
]


@pytest.mark.parametrize(("name", "error"), RETRIED)
def test_a_temporary_error_is_retried_three_times_and_then_ends_the_execution(
    workflow: Workflow,
    lambdas: Lambdas,
    waits: list[float],
    name: str,
    error: type[errors.StagingSyncError],
) -> None:
    lambdas.functions[name] = failing(name, error("Busy. Start it again later."), ALWAYS)

    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", error.__name__)
    assert outcome.sentence == "Busy. Start it again later."
    assert lambdas.called.count(name) == 4
    assert lambdas.called[-1] == name, "no Lambda runs after it"
    assert len(waits) == 3
    assert all(wait <= 15 * 2**tries for tries, wait in enumerate(waits)), "backoff with jitter"


@pytest.mark.parametrize(("name", "error"), RETRIED)
def test_a_temporary_error_that_ends_does_not_fail_the_execution(
    workflow: Workflow, lambdas: Lambdas, name: str, error: type[errors.StagingSyncError]
) -> None:
    lambdas.functions[name] = failing(name, error("Busy."), 2)

    outcome = workflow.run({"sync_cognito": True})

    assert outcome.status == "SUCCEEDED"
    assert outcome.output == {
        "db_sync": RESULTS["db_sync"],
        "cognito_mapping": RESULTS["update_db"],
    }
    assert lambdas.called.count(name) == 3


@pytest.mark.parametrize("error", NOT_RETRIED)
@pytest.mark.parametrize("name", RESULTS)
def test_any_other_error_ends_the_execution_at_once_under_its_own_name(
    workflow: Workflow,
    lambdas: Lambdas,
    waits: list[float],
    name: str,
    error: type[errors.StagingSyncError],
) -> None:
    lambdas.functions[name] = failing(name, error("This failed. Do that."), ALWAYS)

    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", error.__name__)
    assert outcome.sentence == "This failed. Do that."
    assert lambdas.called.count(name) == 1
    assert lambdas.called[-1] == name, "no Lambda runs after it"
    assert waits == []


def test_the_two_lists_above_are_all_errors_of_the_contract() -> None:
    listed = {error for _, error in RETRIED} | set(NOT_RETRIED)

    assert listed == {errors.StagingSyncError, *errors.StagingSyncError.__subclasses__()}


@pytest.mark.parametrize("error_name", SERVICE_ERRORS)
@pytest.mark.parametrize("name", RESULTS)
def test_an_error_of_the_lambda_service_is_retried(
    workflow: Workflow, lambdas: Lambdas, name: str, error_name: str
) -> None:
    lambdas.functions[name] = failing(name, NamedError(error_name), 1)

    outcome = workflow.run({"sync_cognito": True})

    assert outcome.status == "SUCCEEDED"
    assert lambdas.called.count(name) == 2


@pytest.mark.parametrize("name", RESULTS)
def test_a_lasting_error_of_the_lambda_service_ends_the_execution_after_six_retries(
    workflow: Workflow, lambdas: Lambdas, waits: list[float], name: str
) -> None:
    lambdas.functions[name] = failing(name, NamedError("Lambda.ServiceException"), ALWAYS)

    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", "Lambda.ServiceException")
    assert lambdas.called.count(name) == 7
    assert len(waits) == 6
    assert all(wait <= min(60, 2 * 2**tries) for tries, wait in enumerate(waits))


@pytest.mark.parametrize("error_name", NETWORK_ERRORS)
@pytest.mark.parametrize("name", RESULTS)
def test_a_function_that_was_idle_for_weeks_is_retried_for_two_minutes(
    workflow: Workflow, lambdas: Lambdas, waits: list[float], name: str, error_name: str
) -> None:
    lambdas.functions[name] = failing(name, NamedError(error_name), 6)

    outcome = workflow.run({"sync_cognito": True})

    assert outcome.status == "SUCCEEDED"
    assert waits == [20] * 6


def test_a_function_whose_network_never_comes_back_ends_the_execution_after_four_minutes(
    workflow: Workflow, lambdas: Lambdas, waits: list[float]
) -> None:
    lambdas.functions["db_sync"] = failing("db_sync", NamedError(NETWORK_ERRORS[0]), ALWAYS)

    outcome = workflow.run({})

    assert (outcome.status, outcome.error) == ("FAILED", NETWORK_ERRORS[0])
    assert sum(waits) == 240


@pytest.mark.parametrize("error_name", [*SERVICE_ERRORS, *NETWORK_ERRORS])
def test_each_error_is_one_that_lambdas_invoke_may_return(error_name: str) -> None:
    of_lambda = boto3.client("lambda", region_name="eu-central-1").meta.service_model
    known = {shape.name for shape in of_lambda.operation_model("Invoke").error_shapes}
    # The first two are raised by Lambda's caller; AWSLambdaException may be any error of Lambda.
    elsewhere = {"ClientExecutionTimeoutException", "SdkClientException", "AWSLambdaException"}

    assert error_name.removeprefix("Lambda.") in known | elsewhere


@pytest.mark.parametrize("error_name", ["Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown"])
@pytest.mark.parametrize("name", RESULTS)
def test_a_lambda_that_was_killed_or_ran_out_of_time_is_not_retried(
    workflow: Workflow, lambdas: Lambdas, name: str, error_name: str
) -> None:
    lambdas.functions[name] = failing(name, NamedError(error_name), ALWAYS)

    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", error_name)
    assert lambdas.called.count(name) == 1
