"""The state machine as it is deployed."""

import json
from typing import Any

import pytest
from statelint.linter import Linter  # type: ignore[import-untyped]  # it ships no types

from cdk.workflow import LABEL
from tests.infra.synthesized import Synthesized
from tests.support.definition import all_states, machines, tasks
from tests.support.lambda_errors import NETWORK_ERRORS, SERVICE_ERRORS

TEMPORARY = {"TargetBusy", "DatabaseUnavailable"}
# What Step Functions reports of a Lambda that was killed, or ran out of time.
KILLED = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"}
SERVICE, NETWORK = set(SERVICE_ERRORS), set(NETWORK_ERRORS)
# By state: the package that it runs, and which errors are retried there.
TASKS = {
    "SyncDatabase": ("db_sync", [SERVICE, NETWORK, TEMPORARY]),
    "KeepSnapshotA": ("db_sync", [{"States.ALL"}]),
    "KeepSnapshotB": ("db_sync", [{"States.ALL"}]),
    "SyncPart": ("db_sync", [SERVICE, NETWORK, TEMPORARY, KILLED]),
    "FinishSync": ("db_sync", [SERVICE, NETWORK, TEMPORARY, KILLED]),
    "ListCognitoUsers": ("list_cognito_users", [SERVICE, NETWORK, {"CognitoUnavailable"}]),
    "UpdateDatabase": ("update_db", [SERVICE, NETWORK, TEMPORARY]),
}
KEEPERS = ["KeepSnapshotA", "KeepSnapshotB"]
# statelint knows the specification's fields, and these two are AWS's own.
OF_AWS = {'Field "Label" not allowed', 'Field "InputType" not allowed'}
MOST_EVENTS = 25_000  # of an execution's history (Step Functions developer guide, "Quotas")
TURN_EVENTS = 5 + 2  # of a keeper: its Task's and its Choice's


def substituted(stack: Synthesized) -> dict[str, Any]:
    """Return the definition with the functions' paths where a deployment puts their ARNs."""
    machine = stack.only("AWS::StepFunctions::StateMachine")
    definition = stack.definition()
    for state in tasks(definition).values():
        name = state["Resource"].removeprefix("${").removesuffix("}")
        state["Resource"] = stack.text(machine["DefinitionSubstitutions"][name])
    return definition


def test_each_task_runs_its_lambda(full: Synthesized) -> None:
    paths = {
        "db_sync": "<Lambdas/DbSync/Function.Arn>",
        "list_cognito_users": "<Lambdas/ListCognitoUsers/Function.Arn>",
        "update_db": "<Lambdas/UpdateDb/Function.Arn>",
    }
    resources = {name: state["Resource"] for name, state in tasks(substituted(full)).items()}
    assert resources == {name: paths[package] for name, (package, _) in TASKS.items()}


def test_each_task_waits_thirty_seconds_longer_than_its_lambda_may_take(full: Synthesized) -> None:
    for name, state in tasks(full.definition()).items():
        package, _ = TASKS[name]
        assert state["TimeoutSeconds"] == full.function(package)["Timeout"] + 30


def test_the_machine_s_timeout_ends_a_sync_in_parts_long_before_its_history_is_full(
    full: Synthesized,
) -> None:
    timeout = full.definition()["TimeoutSeconds"]
    turn = full.function("db_sync")["Timeout"] - 60  # a keeper ends a minute before its time
    assert sum(state["TimeoutSeconds"] for state in tasks(full.definition()).values()) < timeout
    assert len(KEEPERS) * TURN_EVENTS * timeout / turn < MOST_EVENTS / 4


def test_each_task_is_retried_after_exactly_the_errors_that_may_pass(full: Synthesized) -> None:
    retried = {
        name: [set(retrier["ErrorEquals"]) for retrier in state["Retry"]]
        for name, state in tasks(full.definition()).items()
    }
    assert retried == {name: errors for name, (_, errors) in TASKS.items()}


def test_every_wait_for_somebody_else_grows_to_a_limit_and_has_jitter(full: Synthesized) -> None:
    for state in tasks(full.definition()).values():
        for retrier in state["Retry"]:
            if set(retrier["ErrorEquals"]) == NETWORK:
                continue
            assert retrier["BackoffRate"] > 1
            assert retrier["MaxDelaySeconds"] >= retrier["IntervalSeconds"]
            assert retrier["JitterStrategy"] == "FULL"
            assert retrier["MaxAttempts"] > 0


def test_no_state_s_name_is_used_twice(full: Synthesized) -> None:
    names = [name for states in machines(full.definition()) for name in states]
    assert len(names) == len(set(names))


def test_an_error_is_caught_only_where_another_task_finds_out_about_it(full: Synthesized) -> None:
    caught = {
        name: state["Catch"]
        for name, state in all_states(full.definition()).items()
        if "Catch" in state
    }
    assert caught == {
        "KeepSnapshotA": [{"ErrorEquals": ["States.ALL"], "Next": "SnapshotAEnded"}],
        "KeepSnapshotB": [{"ErrorEquals": ["States.ALL"], "Next": "SnapshotBEnded"}],
        "SyncPart": [{"ErrorEquals": ["States.ALL"], "Next": "PartEnded"}],
    }


def test_a_divided_sync_continues_when_all_its_parts_are_done(full: Synthesized) -> None:
    states = full.definition()["States"]
    assert states["SyncDatabase"]["Next"] == "Divided?"
    assert states["SyncInParts"]["Next"] == states["Divided?"]["Default"] == "SyncCognito?"
    # The third branch's result, under the key of an undivided sync's.
    assert states["SyncInParts"]["ResultSelector"] == {"db_sync.$": "$[2]"}
    assert states["SyncInParts"]["Branches"][2]["StartAt"] == "SyncParts"


@pytest.mark.parametrize(("keeper", "branch"), [("A", 0), ("B", 1)])
def test_a_keeper_s_branch_takes_turns_until_it_is_done_and_cannot_fail(
    full: Synthesized, keeper: str, branch: int
) -> None:
    machine = full.definition()["States"]["SyncInParts"]["Branches"][branch]
    task = machine["States"][f"KeepSnapshot{keeper}"]
    assert machine["StartAt"] == f"KeepSnapshot{keeper}"
    assert task["Parameters"] == {
        "execution.$": "$$.Execution.Name",
        "input.$": "$$.Execution.Input",
        "operation": "keep_snapshot",
        "keeper": keeper.lower(),
    }
    (retrier,) = task["Retry"]
    assert retrier["MaxAttempts"] * retrier["MaxDelaySeconds"] >= 3600  # of a database's outage
    choice = machine["States"][task["Next"]]
    assert choice["Default"] == f"KeepSnapshot{keeper}"
    assert [rule["Next"] for rule in choice["Choices"]] == [f"Snapshot{keeper}Ended"]


def test_the_parts_run_in_standard_executions_that_are_told_of_their_parent(
    full: Synthesized,
) -> None:
    parts = all_states(full.definition())["SyncParts"]
    config = parts["ItemProcessor"]["ProcessorConfig"]
    assert config == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert parts["ItemSelector"] == {
        "execution.$": "$$.Execution.Name",
        "input.$": "$$.Execution.Input",
        "operation": "sync_part",
        "part.$": "$$.Map.Item.Value",
    }
    # A child's own context object has its own name and input. So its Task gets what it was given.
    assert "$$" not in json.dumps(parts["ItemProcessor"])
    assert "Parameters" not in all_states(full.definition())["SyncPart"]
    assert parts["Label"] == LABEL


def test_the_parts_are_read_from_the_list_in_the_bucket(full: Synthesized) -> None:
    parts = all_states(full.definition())["SyncParts"]
    assert parts["ItemReader"] == {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket.$": "$.db_sync.bucket", "Key.$": "$.db_sync.list"},
    }
    assert parts["MaxConcurrencyPath"] == "$.db_sync.concurrency"


def test_a_part_that_fails_fails_neither_its_execution_nor_the_map(full: Synthesized) -> None:
    parts = all_states(full.definition())["SyncParts"]
    inner = parts["ItemProcessor"]["States"]
    assert parts["ToleratedFailurePercentage"] == 100
    # A child's output is two bytes, so that the 256 KiB of a state hold those of 80,000 parts.
    assert inner["SyncPart"]["Next"] == "PartEnded"
    assert (inner["PartEnded"]["Result"], inner["PartEnded"]["End"]) == ({}, True)
    assert parts["ResultPath"] is None


def test_a_round_ends_with_finish_sync_which_may_begin_another(full: Synthesized) -> None:
    states = all_states(full.definition())
    assert states["SyncParts"]["Next"] == "FinishSync"
    assert states["FinishSync"]["Parameters"]["divided.$"] == "$.db_sync"
    assert states["FinishSync"]["ResultPath"] == "$.db_sync"
    assert states["FinishSync"]["Next"] == "PartsLeft?"
    (rule,) = states["PartsLeft?"]["Choices"]
    assert (rule["StringEquals"], rule["Next"]) == ("divided", "SyncParts")
    ended = states[states["PartsLeft?"]["Default"]]
    assert (ended["InputPath"], ended["End"]) == ("$.db_sync", True)


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
    assert {problem.partition(" in ")[0] for problem in Linter.validate(definition)} == OF_AWS


def test_statelint_would_find_something(full: Synthesized) -> None:
    definition = full.definition()
    definition["States"]["Done"]["Type"] = "Success"
    assert len(Linter.validate(definition)) > len(Linter.validate(full.definition()))
