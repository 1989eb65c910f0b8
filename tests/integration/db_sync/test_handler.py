"""The DbSync Lambda reads its secrets, writes its report, and returns no personal data."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

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


def test_a_failure_before_anything_is_read_replaces_the_report_of_an_earlier_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler(event(), FakeContext())
    monkeypatch.setenv("SYNC_RULES", "{")

    with pytest.raises(ConfigurationError):
        handler(event(), FakeContext())

    body = boto3.client("s3").get_object(Bucket=BUCKET, Key="executions/run-1/db-sync.json")["Body"]
    assert json.loads(body.read())["status"] == "failed"


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


def use_masks(monkeypatch: pytest.MonkeyPatch, key: str = MASK_KEY) -> str:
    """Give the Lambda rules that mask, and a secret with their key; return the secret's ARN."""
    client = boto3.client("secretsmanager")
    arn: str = client.create_secret(Name="mask-key", SecretString=key)["ARN"]
    monkeypatch.setenv("MASK_KEY_SECRET_ARN", arn)
    monkeypatch.setenv("SYNC_RULES", json.dumps(MASKS))
    return arn


def written_report() -> str:
    key = "executions/run-1/db-sync.json"
    return boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


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
    report = written_report()
    assert json.loads(report)["masked"] == {
        "public.users.email": 'email, by the rule "public.users.email"'
    }
    written = json.dumps(output) + report + "".join(capfd.readouterr())
    derived = MaskKey(MASK_KEY).of_kind("email").hex()
    assert not any(value in written for value in ("ana@", "bo@", MASK_KEY, derived))


def test_it_reads_rules_from_a_file_too(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_masks(monkeypatch)
    file = tmp_path / "sync-rules.json"
    file.write_text(json.dumps(MASKS))
    monkeypatch.setenv("SYNC_RULES", "")
    monkeypatch.setenv("SYNC_RULES_FILE", str(file))

    handler(event(), FakeContext())

    assert pair.target.value("SELECT email FROM users").endswith(".invalid")


def test_without_the_file_of_the_rules_nothing_is_copied(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_masks(monkeypatch)
    monkeypatch.setenv("SYNC_RULES", "")
    monkeypatch.setenv("SYNC_RULES_FILE", str(tmp_path / "sync-rules.json"))

    with pytest.raises(ConfigurationError, match=r"could not be read from .*sync-rules\.json"):
        handler(event(), FakeContext())

    assert pair.target.value("SELECT count(*) FROM users") == 0


def test_masks_without_a_key_are_refused_before_anything_is_written(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_masks(monkeypatch)
    monkeypatch.delenv("MASK_KEY_SECRET_ARN")

    with pytest.raises(ConfigurationError, match="mask_key_secret_arn"):
        handler(event(), FakeContext())

    assert pair.target.value("SELECT count(*) FROM users") == 0


SHORT_KEY = "correct horse battery staple"


@pytest.mark.parametrize(
    ("key", "why"),
    [(SHORT_KEY, "is shorter than 32 characters"), (json.dumps({"key": MASK_KEY}), "no mask key")],
)
def test_a_key_that_cannot_be_used_is_refused_before_anything_is_written_and_shown_nowhere(
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    key: str,
    why: str,
) -> None:
    arn = use_masks(monkeypatch, key)

    with pytest.raises(ConfigurationError, match=why) as refused:
        handler(event(), FakeContext())

    assert pair.target.value("SELECT count(*) FROM users") == 0
    report = json.loads(written_report())
    assert (report["error"], arn in report["message"]) == ("ConfigurationError", True)
    written = str(refused.value) + written_report() + "".join(capfd.readouterr())
    assert arn in written
    assert not any(value in written for value in (SHORT_KEY, MASK_KEY, "@example.com"))


def test_a_secret_of_the_key_that_is_gone_is_refused_by_name(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = use_masks(monkeypatch)
    boto3.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)

    with pytest.raises(ConfigurationError, match=f"Could not read the secret {arn}"):
        handler(event(), FakeContext())

    assert pair.target.value("SELECT count(*) FROM users") == 0


def test_after_a_rotation_of_the_key_all_that_is_masked_is_written_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = use_masks(monkeypatch)
    pair.source.execute("INSERT INTO users VALUES (2, 'bo@team.example', 'sub-2')")
    handler(event(), FakeContext())
    before = dict(pair.target.rows("SELECT id, email FROM users"))

    new_key = MASK_KEY[::-1]
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=f"{new_key}\n")
    output = handler(event(sync_cognito=True), FakeContext())

    after = dict(pair.target.rows("SELECT id, email FROM users"))
    assert (output["status"], output["rows_updated"]) == ("synced", 1)
    assert after[1].partition("@")[0] != before[1].partition("@")[0]
    assert after[1].endswith(f"@m{MaskKey(new_key).tag}.invalid")
    assert after[2] == "bo@team.example"
    assert handler(event(), FakeContext())["status"] == "unchanged"


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
