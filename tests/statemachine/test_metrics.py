"""The metrics of a run: the same counts as in its output, and none if nothing was done."""

import json
from typing import Any

import pytest

from common.metrics import PHASES, Metric
from tests.statemachine.staging import Staging
from tests.statemachine.workflow import Outcome, Workflow

COUNTS = {
    Metric.ROWS_INSERTED: ("db_sync", "rows_inserted"),
    Metric.ROWS_UPDATED: ("db_sync", "rows_updated"),
    Metric.ROWS_DELETED: ("db_sync", "rows_deleted"),
    Metric.TABLES_CHANGED: ("db_sync", "tables_changed"),
    Metric.SYNC_SECONDS: ("db_sync", "duration_seconds"),
    Metric.USERS_UPDATED: ("cognito_mapping", "updated"),
    Metric.USERS_UNCHANGED: ("cognito_mapping", "unchanged"),
    Metric.USERS_SKIPPED_NO_COGNITO_USER: ("cognito_mapping", "skipped_no_cognito_user"),
    Metric.USERS_SKIPPED_NO_DB_USER: ("cognito_mapping", "skipped_no_db_user"),
    Metric.USERS_SKIPPED_AMBIGUOUS: ("cognito_mapping", "skipped_ambiguous"),
    Metric.USERS_UNLINKED: ("cognito_mapping", "unlinked"),
    Metric.USERS_MISMATCHED: ("cognito_mapping", "mismatched"),
    Metric.USERS_UNVERIFIED_EMAIL: ("cognito_mapping", "unverified_email"),
}


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the metrics' lines on standard output since the last call."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def values(lines: list[dict[str, Any]], outcome: Outcome) -> dict[str, float]:
    """Return each metric's single value; every line must name the execution."""
    found = {}
    for line in lines:
        assert line["execution"] == outcome.name
        (definition,) = line["_aws"]["CloudWatchMetrics"]
        for metric in definition["Metrics"]:
            assert metric["Name"] not in found
            (found[metric["Name"]],) = line[metric["Name"]]
    return found


@pytest.mark.usefixtures("staging")
def test_a_run_emits_every_metric_once_with_what_its_output_says(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = workflow.run({"sync_cognito": True})

    found = values(emitted(capsys), outcome)
    assert found.keys() == set(Metric)
    output = outcome.output
    assert {metric: found[metric] for metric in COUNTS} == {
        metric: output[step][key] for metric, (step, key) in COUNTS.items()
    }
    seconds = sum(found[metric] for metric in PHASES.values())
    assert 0 < seconds <= output["db_sync"]["duration_seconds"]


@pytest.mark.usefixtures("staging")
def test_a_dry_run_emits_no_metrics(workflow: Workflow, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = workflow.run({"sync_cognito": True, "dry_run": True})

    assert outcome.status == "SUCCEEDED", outcome.cause
    assert emitted(capsys) == []


def test_a_step_that_fails_emits_no_metrics(
    workflow: Workflow, staging: Staging, capsys: pytest.CaptureFixture[str]
) -> None:
    staging.target.execute("ALTER TABLE users RENAME cognito_sub TO sub")
    staging.production.execute("ALTER TABLE users RENAME cognito_sub TO sub")

    outcome = workflow.run({"cognito_only": True})

    assert outcome.status == "FAILED"
    assert emitted(capsys) == []
