"""UpdateDb: what it refuses or gives up on, by which name, and that nothing is written then."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from common.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    InvalidInput,
    OutOfTime,
    StagingSyncError,
    SyncInProgress,
    TargetBusy,
    TargetNotAllowed,
)
from common.postgres import target
from common.postgres.database import connect
from common.postgres.waits import Retry, Waits
from sandbox.database import Database
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import REPORT, PoolUser, Staging, event
from tests.support.bucket import BUCKET, stored_keys
from tests.support.lambda_context import FakeContext
from update_db.handler import handler

JANE = PoolUser("jane@example.com", "staging-1")


@pytest.fixture
def staging(make_staging: MakeStaging) -> Staging:
    return make_staging("INSERT INTO users VALUES (1, 'jane@example.com', 'production-1')")


def assert_refused(staging: Staging, error: type[StagingSyncError], *sentences: str) -> None:
    """Remap Jane, and see that it is refused, nothing was written, and nothing is reported."""
    before = staging.row_versions()
    staging.list_pool([JANE])
    with pytest.raises(error) as caught:
        staging.remap_as_listed()
    assert type(caught.value) is error
    for sentence in sentences:
        assert sentence in str(caught.value)
    assert "jane" not in str(caught.value)
    assert staging.row_versions() == before
    assert REPORT not in stored_keys(staging.s3)


def test_a_target_that_is_not_marked_is_refused_with_the_statement(staging: Staging) -> None:
    name = staging.database.name
    staging.database.execute(f"COMMENT ON DATABASE {name} IS 'production'")

    assert_refused(
        staging, TargetNotAllowed, f"COMMENT ON DATABASE \"{name}\" IS 'staging-sync target';"
    )


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("USERS_TABLE", "public.people", "public.people on the target"),
        ("USERS_TABLE", "app.users", "app.users on the target"),
        ("USERS_TABLE", "public.user_view", "public.user_view on the target"),
        ("EMAIL_COLUMN", "mail", "no table with the column mail."),
        ("SUB_COLUMN", "sub", "no table with the column sub."),
        ("SUB_COLUMN", "dropped", "no table with the column dropped."),
        ("USERS_TABLE", "users", 'USERS_TABLE is "users"; it must be "schema.table"'),
        ("USERS_TABLE", "a.b.c", 'USERS_TABLE is "a.b.c"'),
        ("USERS_TABLE", "public.", 'USERS_TABLE is "public."'),
        ("REQUIRE_VERIFIED_EMAIL", "yes", 'REQUIRE_VERIFIED_EMAIL must be "true" or "false"'),
        ("EXCHANGE_BUCKET", "", "EXCHANGE_BUCKET is not set"),
        ("STAGING_SECRET_ARN", "", "STAGING_SECRET_ARN is not set"),
    ],
)
def test_a_setting_that_fits_nothing_is_named(
    staging: Staging, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, sentence: str
) -> None:
    staging.database.execute(
        "CREATE VIEW user_view AS SELECT * FROM users; ALTER TABLE users ADD dropped text;"
        "ALTER TABLE users DROP dropped"
    )
    monkeypatch.setenv(setting, value)

    assert_refused(staging, ConfigurationError, sentence)


def test_both_missing_columns_are_named(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_COLUMN", "mail")
    monkeypatch.setenv("SUB_COLUMN", "sub")

    assert_refused(staging, ConfigurationError, "no table with the column mail and sub.")


def test_a_bad_input_is_refused_before_anything_else(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXCHANGE_BUCKET")
    before = staging.row_versions()

    with pytest.raises(InvalidInput, match='"dry_run" must be true or false, not a string'):
        handler(event() | {"input": {"dry_run": "true"}}, FakeContext())

    assert staging.row_versions() == before


def test_a_role_that_may_only_read_and_update_the_users_suffices(
    staging: Staging, use_database: Callable[[Database, str], None]
) -> None:
    _let_in(staging, use_database, "SELECT, UPDATE")

    result = staging.remap(JANE)

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1}


def test_a_role_that_may_not_update_the_users_is_told_so(
    staging: Staging, use_database: Callable[[Database, str], None]
) -> None:
    _let_in(staging, use_database, "SELECT")

    assert_refused(staging, ConfigurationError, "The role lacks a right")


def _let_in(staging: Staging, use_database: Callable[[Database, str], None], rights: str) -> None:
    staging.database.execute(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'remapper')"
        " THEN CREATE ROLE remapper LOGIN; END IF; END $$;"
        f"GRANT {rights} ON users TO remapper"
    )
    use_database(staging.database, "remapper")


def test_a_target_that_cannot_be_reached_is_unavailable(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"host": "/nowhere", "username": "u", "password": "Tr0ub4dor&3", "dbname": "d"}
    stored = boto3.client("secretsmanager").create_secret(
        Name="unreachable", SecretString=json.dumps(secret)
    )
    monkeypatch.setenv("STAGING_SECRET_ARN", stored["ARN"])

    assert_refused(staging, DatabaseUnavailable, "/nowhere:5432/d")


@contextlib.contextmanager
def writer_of_users(staging: Staging) -> Iterator[int]:
    """Hold a lock on the users as somebody who writes to them; give the backend's id."""
    writer = staging.database.connect()
    try:
        with writer.cursor() as cursor:
            cursor.execute("SET application_name = 'psql of Joe'; LOCK users IN ROW EXCLUSIVE MODE")
        yield writer.info.backend_pid
    finally:
        writer.close()


def test_a_lock_on_the_users_is_given_up_on_and_its_holder_named(staging: Staging) -> None:
    impatient = replace(staging, waits=Waits(table_locks=Retry(0.0, pause=0.0)))
    with writer_of_users(staging) as backend:
        assert_refused(
            impatient,
            TargetBusy,
            f"backend {backend} (user postgres) holds RowExclusiveLock on public.users",
        )

    assert staging.remap(JANE).counts == {"updated": 1}


def test_another_run_is_named_and_not_disturbed(staging: Staging) -> None:
    impatient = replace(staging, waits=Waits(run_lock=Retry(0.0, pause=0.0)))
    with connect(staging.database.address, "target", execution="nightly-7") as other:
        other.begin()
        target.lock_target(other)

        assert_refused(impatient, SyncInProgress, "Execution nightly-7 (backend ")

        other.commit()
    assert staging.remap(JANE).counts == {"updated": 1}


def test_a_report_that_s3_refuses_rolls_everything_back(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging.list_pool([JANE])
    before = staging.row_versions()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register(
        "before-send.s3.PutObject",
        _access_denied,  # type: ignore[arg-type]  # the stubs do not know that this event takes an answer
    )

    with pytest.raises(ConfigurationError, match=f"write s3://{BUCKET}/{REPORT}: AccessDenied"):
        handler(event(), FakeContext())

    assert staging.row_versions() == before


def _access_denied(**_: Any) -> AWSResponse:
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    raw = SimpleNamespace(stream=lambda **_: iter([body]))
    return AWSResponse(f"https://{BUCKET}.s3.amazonaws.com", 403, HTTPHeaders(), raw)


def test_a_run_without_time_left_says_so(staging: Staging) -> None:
    staging.list_pool([JANE])
    before = staging.row_versions()

    with pytest.raises(OutOfTime, match="The time was up before the target was checked"):
        handler(event(), FakeContext(lambda: 15.0))  # which a rollback needs

    assert staging.row_versions() == before
