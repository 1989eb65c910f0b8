"""The state machine as it is deployed."""

from typing import Any

from statelint.linter import Linter  # type: ignore[import-untyped]  # it ships no types

from tests.infra.synthesized import Synthesized
from tests.support.lambda_errors import NETWORK_ERRORS, SERVICE_ERRORS

# By state: the package that it runs, and which of our errors are retried there.
TASKS = {
    "SyncDatabase": ("db_sync", {"TargetBusy", "DatabaseUnavailable"}),
    "ListCognitoUsers": ("list_cognito_users", {"CognitoUnavailable"}),
    "UpdateDatabase": ("update_db", {"TargetBusy", "DatabaseUnavailable"}),
}


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def substituted(stack: Synthesized) -> dict[str, Any]:
    """Return the definition with the functions' paths where a deployment puts their ARNs."""
    machine = stack.only("AWS::StepFunctions::StateMachine")
    definition = stack.definition()
    for state in tasks(definition).values():
        name = state["Resource"].removeprefix("${").removesuffix("}")
        state["Resource"] = stack.text(machine["DefinitionSubstitutions"][name])
    return definition


def test_each_task_runs_its_lambda(full: Synthesized) -> None:
    resources = {name: state["Resource"] for name, state in tasks(substituted(full)).items()}
    assert resources == {
        "SyncDatabase": "<Lambdas/DbSync/Function.Arn>",
        "ListCognitoUsers": "<Lambdas/ListCognitoUsers/Function.Arn>",
        "UpdateDatabase": "<Lambdas/UpdateDb/Function.Arn>",
    }


def test_each_task_waits_thirty_seconds_longer_than_its_lambda_may_take(full: Synthesized) -> None:
    for name, state in tasks(full.definition()).items():
        package, _ = TASKS[name]
        assert state["TimeoutSeconds"] == full.function(package)["Timeout"] + 30


def test_the_machine_s_timeout_is_longer_than_those_of_all_its_tasks_together(
    full: Synthesized,
) -> None:
    definition = full.definition()
    together = sum(state["TimeoutSeconds"] for state in tasks(definition).values())
    assert together < definition["TimeoutSeconds"] <= 4 * together


def test_each_task_is_retried_after_exactly_the_errors_that_may_pass(full: Synthesized) -> None:
    retried = {
        name: [set(retrier["ErrorEquals"]) for retrier in state["Retry"]]
        for name, state in tasks(full.definition()).items()
    }
    assert retried == {
        name: [set(SERVICE_ERRORS), set(NETWORK_ERRORS), ours] for name, (_, ours) in TASKS.items()
    }


def test_every_wait_for_somebody_else_grows_to_a_limit_and_has_jitter(full: Synthesized) -> None:
    for state in tasks(full.definition()).values():
        service, _, ours = state["Retry"]
        for retrier in (service, ours):
            assert retrier["BackoffRate"] > 1
            assert retrier["MaxDelaySeconds"] >= retrier["IntervalSeconds"]
            assert retrier["JitterStrategy"] == "FULL"
            assert retrier["MaxAttempts"] > 0


def test_no_error_is_caught_so_that_a_failure_keeps_its_name(full: Synthesized) -> None:
    assert not [name for name, state in full.definition()["States"].items() if "Catch" in state]


def test_the_machine_is_standard_traced_and_logs_everything(full: Synthesized) -> None:
    machine = full.only("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logging = machine["LoggingConfiguration"]
    assert logging["Level"] == "ALL"
    (destination,) = logging["Destinations"]
    log_group = full.text(destination["CloudWatchLogsLogGroup"]["LogGroupArn"])
    assert log_group == "<Workflow/Logs.Arn>"


def test_the_machine_s_log_has_a_retention_and_does_not_fill_the_account_s_resource_policy(
    full: Synthesized,
) -> None:
    log_group = full.paths("AWS::Logs::LogGroup")["Workflow/Logs"]
    assert log_group["RetentionInDays"] == 90
    _, parts = log_group["LogGroupName"]["Fn::Join"]
    assert parts[0].startswith("/aws/vendedlogs/states/")


def test_the_machine_has_the_stack_s_name(full: Synthesized) -> None:
    machine = full.only("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineName"] == "staging-sync-staging"


def test_the_outputs_name_the_machine_and_the_bucket(full: Synthesized) -> None:
    outputs = {
        name: full.text(output["Value"]) for name, output in full.template["Outputs"].items()
    }
    assert outputs == {
        "StateMachineArn": "<Workflow/StateMachine>",
        "ExchangeBucketName": "<Exchange/Bucket>",
    }


def test_statelint_finds_nothing(full: Synthesized) -> None:
    definition = substituted(full)
    for state in tasks(definition).values():
        state["Resource"] = "arn:aws:lambda:eu-central-1:111122223333:function:name"
    assert Linter.validate(definition) == []


def test_statelint_would_find_something(full: Synthesized) -> None:
    definition = full.definition()
    definition["States"]["Done"]["Type"] = "Success"
    assert Linter.validate(definition) != []
