"""The DbSync Lambda reads its secrets, writes its report, and returns no personal data."""

import json
import re
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from common.errors import ConfigurationError, InvalidInput
from common.masking.keys import MaskKey
from db_sync.handler import handler
from sandbox.database import Database
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair
from tests.support.lambda_context import FakeContext

BUCKET = "exchange"


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(
        "CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text)",
        source="INSERT INTO users VALUES (1, 'ana@example.com', 'sub-1')",
    )


def secret(database: Database, **changes: str | None) -> str:
    """Return a secret in RDS's format as text, with fields changed or (None) left out."""
    fields = {
        "host": str(database.server.socket_dir),
        "port": 5432,
        "username": "postgres",
        "password": "not-needed",
        "dbname": database.name,
        **changes,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


@pytest.fixture(autouse=True)
def environment(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3", "us-east-1").create_bucket(Bucket=BUCKET)
        # Production's secret is in another Region than the Lambda.
        for variable, region, database in (
            ("PROD_SECRET_ARN", "us-west-2", pair.source),
            ("STAGING_SECRET_ARN", "eu-central-1", pair.target),
        ):
            arn = boto3.client("secretsmanager", region).create_secret(
                Name=variable, SecretString=secret(database)
            )["ARN"]
            monkeypatch.setenv(variable, arn)
        monkeypatch.setenv("EXCHANGE_BUCKET", BUCKET)
        yield


def event(**fields: object) -> dict[str, object]:
    return {"execution": "run-1", "input": fields}


def test_it_syncs_and_reports(pair: Pair) -> None:
    output = handler(event(), FakeContext())

    assert_same(pair)
    assert {key: output[key] for key in ("status", "tables", "tables_changed", "verified")} == {
        "status": "synced",
        "tables": 1,
        "tables_changed": 1,
        "verified": True,
    }
    assert output["report"] == "s3://exchange/executions/run-1/db-sync.json"
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key="executions/run-1/db-sync.json")["Body"]
    report = json.loads(body.read())
    assert report["tables"][0]["table"] == "public.users"
    assert report["tables"][0]["reason"] == "the target's table is empty"


def test_an_invalid_input_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PROD_SECRET_ARN")

    with pytest.raises(InvalidInput, match='"sync_congito"'):
        handler(event(sync_congito=True), FakeContext())


@pytest.mark.parametrize("variable", ["PROD_SECRET_ARN", "STAGING_SECRET_ARN", "EXCHANGE_BUCKET"])
def test_the_error_for_a_missing_variable_names_it(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable)

    with pytest.raises(ConfigurationError, match=variable):
        handler(event(), FakeContext())


def test_if_the_bucket_is_missing_the_target_stays_as_it_was(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_BUCKET", "no-such-bucket")

    with pytest.raises(ConfigurationError, match="NoSuchBucket"):
        handler(event(), FakeContext())

    assert pair.target.value("SELECT count(*) FROM users") == 0


def test_no_row_appears_in_the_output_the_report_or_the_log(
    pair: Pair, capfd: pytest.CaptureFixture[str]
) -> None:
    pair.target.execute("INSERT INTO users VALUES (1, 'bo@example.com', 'sub-9')")

    output = handler(event(), FakeContext())

    body = boto3.client("s3").get_object(Bucket=BUCKET, Key="executions/run-1/db-sync.json")["Body"]
    written = json.dumps(output) + body.read().decode() + "".join(capfd.readouterr())
    assert not any(value in written for value in ("@example.com", "sub-1", "sub-9", "not-needed"))


MASKS = {"mask": {"public.users.email": {"with": "email", "keep_domains": ["team.example"]}}}
MASK_KEY = "a-key-of-more-than-thirty-two-characters"


def use_masks(monkeypatch: pytest.MonkeyPatch, key: str = MASK_KEY) -> None:
    """Give the Lambda rules that mask, and a secret with their key."""
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="mask-key", SecretString=key)["ARN"]
    monkeypatch.setenv("MASK_KEY_SECRET_ARN", arn)
    monkeypatch.setenv("SYNC_RULES", json.dumps(MASKS))


def test_it_masks_with_the_key_of_the_secret_and_shows_neither_key_nor_originals(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    use_masks(monkeypatch)
    pair.source.execute("INSERT INTO users VALUES (2, 'bo@team.example', 'sub-2')")

    output = handler(event(), FakeContext())

    masked, kept = pair.target.rows("SELECT email FROM users ORDER BY id")
    tag = MaskKey(MASK_KEY).tag
    assert re.fullmatch(rf"[0-9a-f]{{24}}@m{tag}\.invalid", masked[0])
    assert kept == ("bo@team.example",)
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key="executions/run-1/db-sync.json")["Body"]
    report = body.read().decode()
    assert json.loads(report)["masked"] == {
        "public.users.email": 'email, by the rule "public.users.email"'
    }
    written = json.dumps(output) + report + "".join(capfd.readouterr())
    derived = MaskKey(MASK_KEY).of_kind("email").hex()
    assert not any(value in written for value in ("ana@", "bo@", MASK_KEY, derived))


def test_masks_without_a_key_are_refused_before_anything_is_written(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_masks(monkeypatch)
    monkeypatch.delenv("MASK_KEY_SECRET_ARN")

    with pytest.raises(ConfigurationError, match="mask_key_secret_arn"):
        handler(event(), FakeContext())

    assert pair.target.value("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [({}, True), ({"sync_cognito": True}, False), ({"dry_run": True}, None)],
)
def test_changed_masks_of_emails_need_a_remap_that_follows(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, given: dict[str, bool], *, is_refused: bool | None
) -> None:
    pair.target.execute("INSERT INTO users VALUES (1, 'ana@example.com', 'sub-of-staging')")
    use_masks(monkeypatch)
    kept = [{"column": "public.users.cognito_sub", "while_same": ["email"]}]
    monkeypatch.setenv("SYNC_RULES", json.dumps({**MASKS, "keep": kept}))

    if is_refused:
        with pytest.raises(ConfigurationError, match='"sync_cognito": true'):
            handler(event(**given), FakeContext())
        return
    output = handler(event(**given), FakeContext())

    foretold = [each for each in output["warnings"] if '"sync_cognito": true' in each]
    assert len(foretold) == (is_refused is None)
