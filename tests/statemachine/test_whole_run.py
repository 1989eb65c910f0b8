"""The three real Lambdas in the real workflow: PostgreSQL is real, AWS is moto's."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from common.reports.remap import RemapResult
from tests.statemachine.lambdas import Lambdas
from tests.statemachine.staging import ORDERS, USERS, Staging
from tests.statemachine.workflow import Workflow


def remapped(staging: Staging) -> list[tuple[Any, ...]]:
    """Return staging's users as they must be after a run."""
    return [
        (1, "jane@example.com", staging.subs["Jane@Example.com"]),
        (2, "joe@example.com", staging.subs["joe@example.com"]),
        (3, "left@example.com", "production-3"),
    ]


def test_production_is_copied_and_people_get_the_subs_of_stagings_pool(
    workflow: Workflow, staging: Staging
) -> None:
    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("SUCCEEDED", None), outcome.cause
    assert staging.target.rows(USERS) == remapped(staging)
    assert staging.target.rows(ORDERS) == staging.production.rows(ORDERS)
    folder = f"s3://exchange/executions/{outcome.name}"
    took = outcome.output["db_sync"].pop("duration_seconds")
    assert 0 <= took < 60
    assert outcome.output == {
        "db_sync": {
            "status": "synced",
            "tables": 2,
            "tables_changed": 2,
            "rows_inserted": 4,
            "rows_updated": 1,
            "rows_deleted": 1,
            "verified": True,
            "atomic": True,
            "warnings": [],
            "report": f"{folder}/db-sync.json",
        },
        "cognito_mapping": {
            "updated": 2,
            "unchanged": 0,
            "skipped_no_cognito_user": 1,
            "skipped_no_db_user": 1,
            "skipped_ambiguous": 0,
            "unlinked": 0,
            "mismatched": 0,
            "unverified_email": 0,
            "followers": {},
            "warnings": [],
            "report": f"{folder}/cognito-mapping.csv.gz",
        },
    }
    *others, part, report = staging.files(outcome.name)
    assert others == [
        "cognito-mapping.csv.gz",
        "cognito-mapping.json",
        "cognito-users/manifest.json",
    ]
    assert part.startswith("cognito-users/part-")
    assert report == "db-sync.json"


def test_a_second_run_changes_nothing(workflow: Workflow, staging: Staging) -> None:
    workflow.run({"sync_cognito": True})
    before = staging.target.contents()

    outcome = workflow.run({"sync_cognito": True})

    assert outcome.output["db_sync"]["status"] == "unchanged"
    assert outcome.output["cognito_mapping"]["updated"] == 0
    assert outcome.output["cognito_mapping"]["unchanged"] == 2
    assert staging.target.contents() == before


def test_no_email_sub_or_password_enters_the_executions_history(
    workflow: Workflow, staging: Staging
) -> None:
    outcome = workflow.run({"sync_cognito": True})

    history = json.dumps(outcome.history, default=str)
    assert "ListCognitoUsers" in history
    for personal in (*staging.subs, *staging.subs.values(), "production-", "Tr0ub4dor"):
        assert personal not in history


def test_a_dry_run_reports_what_would_change_and_changes_nothing(
    workflow: Workflow, staging: Staging
) -> None:
    before = staging.target.contents()

    outcome = workflow.run({"sync_cognito": True, "dry_run": True})

    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output["db_sync"]["status"] == "dry_run"
    assert outcome.output["db_sync"]["rows_inserted"] == 4
    assert outcome.output["cognito_mapping"]["basis"] == "before_sync"
    assert outcome.output["cognito_mapping"]["updated"] == 1, "staging does not have joe yet"
    assert staging.target.contents() == before


def test_without_a_sync_only_the_subs_change_and_production_is_not_needed(
    workflow: Workflow, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROD_SECRET_ARN")

    outcome = workflow.run({"cognito_only": True})

    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output.keys() == {"cognito_mapping"}
    assert staging.target.rows(USERS) == [
        (1, "jane@example.com", staging.subs["Jane@Example.com"]),
        (9, "gone@example.com", "production-9"),
    ]


@pytest.mark.parametrize(
    ("document", "called"),
    [
        ({"sync_cognito": True}, ["db_sync"]),
        ({"cognito_only": True}, ["list_cognito_users", "update_db"]),
    ],
)
def test_a_target_without_the_marker_is_refused_with_the_statement_that_sets_it(
    workflow: Workflow,
    staging: Staging,
    lambdas: Lambdas,
    document: dict[str, Any],
    called: list[str],
) -> None:
    staging.target.execute(f"COMMENT ON DATABASE {staging.target.name} IS NULL")
    before = staging.target.contents()

    outcome = workflow.run(document)

    assert (outcome.status, outcome.error) == ("FAILED", "TargetNotAllowed")
    assert f'COMMENT ON DATABASE "{staging.target.name}" IS' in outcome.sentence
    assert "'staging-sync target'" in outcome.sentence
    assert lambdas.called == called
    assert staging.target.contents() == before


@pytest.mark.parametrize(
    "document",
    [{"sync_congito": True}, {"sync_cognito": "true"}, {"cognito_only": 1}, [], "x", 5, None],
)
def test_a_bad_input_touches_nothing(
    workflow: Workflow, staging: Staging, document: object
) -> None:
    before = staging.target.contents()

    outcome = workflow.run(document)

    assert (outcome.status, outcome.error) == ("FAILED", "InvalidInput")
    assert staging.files(outcome.name) == []
    assert staging.target.contents() == before


def test_without_a_pool_the_sync_is_kept_and_the_execution_fails_with_the_setting(
    workflow: Workflow, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COGNITO_USER_POOL_ID")

    outcome = workflow.run({"sync_cognito": True})

    assert (outcome.status, outcome.error) == ("FAILED", "ConfigurationError")
    assert "user_pool_id" in outcome.sentence
    assert staging.target.rows(ORDERS) == staging.production.rows(ORDERS)


def test_a_remap_leaves_its_counts_and_a_remap_that_failed_why(
    workflow: Workflow, staging: Staging
) -> None:
    done = workflow.run({"cognito_only": True})
    staging.target.execute("ALTER TABLE users RENAME COLUMN cognito_sub TO sub")
    failed = workflow.run({"cognito_only": True})

    left = RemapResult.parse(json.loads(staging.read(done.name, "cognito-mapping.json")))
    assert left.counts.output() == {
        name: done.output["cognito_mapping"][name] for name in left.counts.output()
    }
    assert left.people == done.output["cognito_mapping"]["report"]
    assert (left.pool_users, left.dry_run) == (3, False)
    assert datetime.fromisoformat(left.started_at) <= datetime.now(UTC)
    reason = json.loads(staging.read(failed.name, "cognito-mapping.json"))
    assert (reason["status"], reason["error"]) == ("failed", "ConfigurationError")
    assert "cognito_sub" in reason["message"]


def test_a_remap_that_never_reached_the_database_leaves_why(
    workflow: Workflow, staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_TABLE", "a.b.c.d")

    failed = workflow.run({"cognito_only": True})

    left = json.loads(staging.read(failed.name, "cognito-mapping.json"))
    assert (failed.error, left["error"]) == ("ConfigurationError", "ConfigurationError")
