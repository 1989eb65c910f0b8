"""The three real Lambdas in the real workflow: PostgreSQL is real, AWS is moto's."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import db_sync.handler
import list_cognito_users.handler
import update_db.handler
from tests.databases import Database, Databases
from tests.statemachine.lambdas import Lambdas
from tests.statemachine.workflow import REGION, Workflow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, cognito_sub text UNIQUE);
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users);
"""
PRODUCTION = """
INSERT INTO users VALUES
    (1, 'jane@example.com', 'production-1'),
    (2, 'joe@example.com', 'production-2'),
    (3, 'left@example.com', 'production-3');
INSERT INTO orders VALUES (10, 1), (11, 2), (12, 2);
"""
STAGING = """
INSERT INTO users VALUES
    (1, 'jane@example.com', 'production-1'), (9, 'gone@example.com', 'production-9');
INSERT INTO orders VALUES (10, 9);
"""
USERS = "SELECT id, email, cognito_sub FROM users ORDER BY id"
ORDERS = "SELECT id, user_id FROM orders ORDER BY id"


@dataclass(frozen=True, slots=True)
class Staging:
    """What the workflow works on, and the subs of the people in staging's pool."""

    production: Database
    target: Database
    subs: dict[str, str]
    s3: "S3Client"

    def files(self, execution: str) -> list[str]:
        """Return what an execution left in the exchange bucket."""
        found = self.s3.list_objects_v2(Bucket="exchange", Prefix=f"executions/{execution}/")
        return [each["Key"].split("/", 2)[2] for each in found.get("Contents", [])]


@pytest.fixture
def staging(databases: Databases, lambdas: Lambdas, monkeypatch: pytest.MonkeyPatch) -> Staging:
    lambdas.functions = {
        "db_sync": db_sync.handler.handler,
        "list_cognito_users": list_cognito_users.handler.handler,
        "update_db": update_db.handler.handler,
    }
    production, target = databases.pair(SCHEMA, PRODUCTION, STAGING)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="exchange", CreateBucketConfiguration={"LocationConstraint": REGION})
    pool_id, subs = _sign_up("Jane@Example.com", "joe@example.com", "staging-only@example.com")
    for name, value in {
        "PROD_SECRET_ARN": _store_secret("production", production),
        "STAGING_SECRET_ARN": _store_secret("staging", target),
        "EXCHANGE_BUCKET": "exchange",
        "COGNITO_USER_POOL_ID": pool_id,
        "SYNC_RULES": json.dumps({"keep": ["public.users.cognito_sub"]}),
    }.items():
        monkeypatch.setenv(name, value)
    return Staging(production, target, subs, s3)


def _sign_up(*emails: str) -> tuple[str, dict[str, str]]:
    """Return the id of a new pool and the sub of each user in it."""
    cognito = boto3.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="staging")["UserPool"]["Id"]
    subs = {}
    for number, email in enumerate(emails):
        user = cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=f"chosen-name-{number}",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )["User"]
        subs[email] = next(each["Value"] for each in user["Attributes"] if each["Name"] == "sub")
    return pool_id, subs


def _store_secret(name: str, database: Database) -> str:
    secret = {
        "host": str(database.server.socket_dir),
        "port": 5432,
        "username": "postgres",
        "password": "Tr0ub4dor&3",
        "dbname": database.name,
    }
    client = boto3.client("secretsmanager")
    return client.create_secret(Name=name, SecretString=json.dumps(secret))["ARN"]


def remapped(staging: Staging) -> list[tuple[Any, ...]]:
    """Return staging's users as they must be in the end."""
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
            "unverified_email": 0,
            "warnings": [],
            "report": f"{folder}/cognito-mapping.csv.gz",
        },
    }
    assert staging.files(outcome.name) == [
        "cognito-mapping.csv.gz",
        "cognito-users/manifest.json",
        "cognito-users/part-00001.csv.gz",
        "db-sync.json",
    ]


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
    assert outcome.output["cognito_mapping"]["updated"] == 1, "joe is not there yet"
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
