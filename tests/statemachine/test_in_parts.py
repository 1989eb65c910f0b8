"""A sync in parts: keepers, rounds and FinishSync, and what becomes of each one's errors."""

from typing import Any

import pytest

from common import errors
from tests.statemachine.divided import SYNCED, DividedSync
from tests.statemachine.lambdas import RESULTS, Lambdas, NamedError
from tests.statemachine.workflow import Outcome, Workflow

ALWAYS = 1000
FAILURE = errors.VerificationFailed("Two rows differ.")


def operations(lambdas: Lambdas, operation: str | None) -> list[dict[str, Any]]:
    """Return the events of DbSync's calls with an operation."""
    events = [event for name, event in lambdas.calls if name == "db_sync"]
    return [event for event in events if event.get("operation") == operation]


def parts_of(lambdas: Lambdas) -> list[int]:
    """Return the numbers of the parts that ran, sorted."""
    return sorted(event["part"]["part"] for event in operations(lambdas, "sync_part"))


def run(
    workflow: Workflow, lambdas: Lambdas, sync: DividedSync, document: object = None
) -> Outcome:
    lambdas.functions["db_sync"] = sync
    try:
        return workflow.run(document or {})
    finally:
        sync.ended.set()


def test_a_divided_sync_runs_each_part_once_and_returns_what_finish_sync_does(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    outcome = run(workflow, lambdas, DividedSync.of(range(1, 18)))

    assert (outcome.status, outcome.cause) == ("SUCCEEDED", None)
    assert outcome.output == {"db_sync": SYNCED}
    assert parts_of(lambdas) == list(range(1, 18))
    assert len(operations(lambdas, None)) == len(operations(lambdas, "finish_sync")) == 1


def test_after_a_divided_sync_the_pool_is_listed_and_people_are_matched(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    outcome = run(workflow, lambdas, DividedSync.of([1, 2]), {"sync_cognito": True})

    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output == {"db_sync": SYNCED, "cognito_mapping": RESULTS["update_db"]}
    assert lambdas.called[-2:] == ["list_cognito_users", "update_db"]


def test_every_operation_is_told_the_executions_own_name_and_input(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    sync = DividedSync.of([4])
    document = {"sync_cognito": False, "Comment": {"asked by": "the on-call"}}

    outcome = run(workflow, lambdas, sync, document)

    event = {"execution": outcome.name, "input": document}
    (part,) = operations(lambdas, "sync_part")
    (finish,) = operations(lambdas, "finish_sync")
    kept = operations(lambdas, "keep_snapshot")
    assert part == {**event, "operation": "sync_part", "part": {"part": 4}}
    divided = sync.divide(outcome.name, 1)
    assert finish == {**event, "operation": "finish_sync", "divided": divided}
    for keeper in ("a", "b"):
        assert {**event, "operation": "keep_snapshot", "keeper": keeper} in kept
    assert {entry["keeper"] for entry in kept} == {"a", "b"}


def test_keepers_are_invoked_again_until_all_is_done(workflow: Workflow, lambdas: Lambdas) -> None:
    sync = DividedSync.of(range(30), concurrency=1)
    sync.turns = 3

    outcome = run(workflow, lambdas, sync)

    assert outcome.status == "SUCCEEDED", outcome.cause
    assert sync.turns_of == {"a": 4, "b": 4}


def test_no_more_parts_run_at_once_than_the_division_says(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    sync = DividedSync.of(range(12), concurrency=3)

    run(workflow, lambdas, sync)

    assert 1 < sync.most_at_once <= 3


def test_what_is_left_runs_in_another_round_until_nothing_is(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    sync = DividedSync.of([1, 2, 3], [2, 4], [4])

    outcome = run(workflow, lambdas, sync)

    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"db_sync": SYNCED})
    assert parts_of(lambdas) == [1, 2, 2, 3, 4, 4]
    rounds = [event["divided"]["round"] for event in operations(lambdas, "finish_sync")]
    assert rounds == [1, 2, 3]
    assert len(operations(lambdas, None)) == 1


def test_a_part_that_fails_leaves_the_others_and_finish_sync_to_decide(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    sync = DividedSync.of([1, 2, 3], [2])
    sync.errors = {2: [FAILURE]}

    outcome = run(workflow, lambdas, sync)

    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"db_sync": SYNCED})
    assert parts_of(lambdas) == [1, 2, 2, 3], "once in each round"


def test_what_a_part_says_does_not_enter_the_state(workflow: Workflow, lambdas: Lambdas) -> None:
    sync = DividedSync.of([1, 2])
    sync.errors = {2: [errors.SchemaMismatch("Jane's row does not fit.")]}

    outcome = run(workflow, lambdas, sync)

    assert outcome.exits().keys() >= {"SyncParts", "FinishSync"}
    assert "Jane" not in str(outcome.exits())


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (errors.DatabaseUnavailable("Refused."), 4),
        (errors.TargetBusy("Locked."), 4),
        (NamedError("Runtime.ExitError"), 3),
        (NamedError("Sandbox.Timedout"), 3),
        (NamedError("Lambda.Unknown"), 3),
        (NamedError("Lambda.TooManyRequestsException"), 7),
        (errors.VerificationFailed("Two rows differ."), 1),
        (errors.OutOfTime("Too large."), 1),
    ],
)
@pytest.mark.parametrize("who", [2, "finish_sync"])
def test_an_operation_is_retried_after_what_may_pass_and_after_a_kill(
    workflow: Workflow, lambdas: Lambdas, who: int | str, error: Exception, times: int
) -> None:
    sync = DividedSync.of([1, 2, 3])
    sync.errors = {who: [error] * ALWAYS}

    run(workflow, lambdas, sync)

    assert ALWAYS - len(sync.errors[who]) == times


def test_what_finish_sync_refuses_ends_the_execution_under_its_name(
    workflow: Workflow, lambdas: Lambdas
) -> None:
    sync = DividedSync.of([1, 2])
    sync.errors = {"finish_sync": [FAILURE]}

    outcome = run(workflow, lambdas, sync, {"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", "VerificationFailed")
    assert outcome.sentence == "Two rows differ."
    assert outcome.output is None
    assert set(lambdas.called) == {"db_sync"}, "staging is in between: nobody is matched"


@pytest.mark.parametrize("keeper", ["a", "b"])
@pytest.mark.parametrize(
    "error", [NamedError("Runtime.ExitError"), errors.DatabaseUnavailable("Refused.")]
)
def test_a_keeper_that_dies_is_started_again_at_once(
    workflow: Workflow, lambdas: Lambdas, waits: list[float], keeper: str, error: Exception
) -> None:
    sync = DividedSync.of([1, 2])
    sync.errors = {f"keeper {keeper}": [error]}

    outcome = run(workflow, lambdas, sync)

    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"db_sync": SYNCED})
    assert [wait for wait in waits if wait > 2] == []
    assert sync.errors == {f"keeper {keeper}": []}
    assert sync.turns_of == {"a": 1, "b": 1}


@pytest.mark.parametrize("keepers", [["a"], ["a", "b"]])
def test_keepers_that_never_succeed_leave_it_to_finish_sync_whether_the_sync_does(
    workflow: Workflow, lambdas: Lambdas, keepers: list[str]
) -> None:
    sync = DividedSync.of(range(3))
    error = errors.DatabaseUnavailable("db.example.com refused the connection.")
    sync.errors = {f"keeper {keeper}": [error] * ALWAYS for keeper in keepers}

    outcome = run(workflow, lambdas, sync)

    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"db_sync": SYNCED})
    assert {len(left) for left in sync.errors.values()} == {ALWAYS - 201}
    assert parts_of(lambdas) == [0, 1, 2]


@pytest.mark.parametrize(
    ("rounds", "turns", "events"), [(1, 1, 2 * 7), (2, 0, 13)], ids=["a turn of each", "a round"]
)
def test_a_turn_and_a_round_take_as_much_room_in_the_history_as_is_reckoned(
    workflow: Workflow, lambdas: Lambdas, rounds: int, turns: int, events: int
) -> None:
    """Compare with docs/architecture.md, "How long can it take?"."""
    sync = DividedSync.of([1, 2])
    shortest = run(workflow, lambdas, sync)

    # One part after the other, so that each keeper has time for a turn.
    longer = DividedSync(sync.s3, [range(12)] * rounds, concurrency=1, turns=turns)
    outcome = run(workflow, lambdas, longer)

    assert len(outcome.history) - len(shortest.history) == events
