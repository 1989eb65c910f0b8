"""A Lambda's environment variables: how they are read and refused, and what CDK writes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from common.errors import ConfigurationError
from common.settings import (
    Flag,
    LambdaEnvironment,
    OptionalStrings,
    OptionalText,
    Percent,
    Text,
)
from db_sync.environment import DbSyncEnvironment
from list_cognito_users.environment import ListCognitoUsersEnvironment
from update_db.environment import UpdateDbEnvironment


@dataclass(frozen=True, kw_only=True)
class Sample(LambdaEnvironment):
    """A variable of each form."""

    exchange_bucket: Text
    users_table: Text = "public.users"
    cognito_user_pool_id: OptionalText = None
    require_verified_email: Flag = False
    release_mismatched: Flag = True
    min_matched_percent: Percent = 0.0
    prod_database: OptionalStrings = None


VARIABLES = (
    "EXCHANGE_BUCKET",
    "USERS_TABLE",
    "COGNITO_USER_POOL_ID",
    "REQUIRE_VERIFIED_EMAIL",
    "RELEASE_MISMATCHED",
    "MIN_MATCHED_PERCENT",
    "PROD_DATABASE",
)


@pytest.fixture(autouse=True)
def bucket_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("EXCHANGE_BUCKET", "exchange")


def set_all(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str | None]) -> None:
    for variable, value in variables.items():
        if value is not None:
            monkeypatch.setenv(variable, value)


def test_a_variable_that_is_set_is_returned() -> None:
    assert Sample.read().exchange_bucket == "exchange"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_missing_or_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("EXCHANGE_BUCKET")
    set_all(monkeypatch, {"EXCHANGE_BUCKET": value})

    with pytest.raises(ConfigurationError, match="EXCHANGE_BUCKET is not set"):
        Sample.read()


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), (None, False)])
def test_a_flag_is_true_only_if_it_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool
) -> None:
    set_all(monkeypatch, {"REQUIRE_VERIFIED_EMAIL": value})

    assert Sample.read().require_verified_email is expected


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), (None, True)])
def test_a_flag_that_is_true_by_default_is_false_only_if_it_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool
) -> None:
    set_all(monkeypatch, {"RELEASE_MISMATCHED": value})

    assert Sample.read().release_mismatched is expected


@pytest.mark.parametrize("value", ["", "True", "1", "yes", " true"])
def test_a_flag_of_any_other_value_is_refused_and_not_taken_for_false(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", value)

    with pytest.raises(ConfigurationError, match='REQUIRE_VERIFIED_EMAIL must be "true" or'):
        Sample.read()


@pytest.mark.parametrize(
    ("value", "expected"), [("66.6", 66.6), ("100", 100.0), ("", 0.0), (None, 0.0)]
)
def test_a_percentage_is_a_number_from_0_to_100(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: float
) -> None:
    set_all(monkeypatch, {"MIN_MATCHED_PERCENT": value})

    assert math.isclose(Sample.read().min_matched_percent, expected)


@pytest.mark.parametrize("value", ["100.1", "-1", "1e2", "80%", "nan"])
def test_any_other_percentage_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MIN_MATCHED_PERCENT", value)

    with pytest.raises(ConfigurationError, match="MIN_MATCHED_PERCENT must be a number from 0"):
        Sample.read()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("app.members", "app.members"), ("", "public.users"), (None, "public.users")],
)
def test_an_optional_variable_has_a_default_where_it_is_missing_or_empty(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str
) -> None:
    set_all(monkeypatch, {"USERS_TABLE": value})

    assert Sample.read().users_table == expected


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_without_a_value_is_none_where_it_is_missing_or_empty(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    set_all(monkeypatch, {"COGNITO_USER_POOL_ID": value, "PROD_DATABASE": value})

    environment = Sample.read()

    assert (environment.cognito_user_pool_id, environment.prod_database) == (None, None)


ENVIRONMENTS = [
    DbSyncEnvironment(
        exchange_bucket="exchange",
        prod_secret_arn="arn:prod",
        staging_database={"auth": "iam", "host": "h", "dbname": "d"},
        database_ca_bundle="/opt/ca.pem",
        sync_rules='{"keep": []}',
        mask_key_secret_arn="arn:mask-key",
    ),
    DbSyncEnvironment(exchange_bucket="exchange", sync_rules_file="/opt/sync-rules.json"),
    ListCognitoUsersEnvironment(
        exchange_bucket="exchange", cognito_user_pool_id="eu-central-1_Shop", list_users_rps=27.5
    ),
    UpdateDbEnvironment(
        exchange_bucket="exchange",
        staging_secret_arn="arn:staging",
        users_table='public."people of 2024"',
        users_where="deleted_at IS NULL",
        require_verified_email=True,
        release_mismatched=False,
        min_matched_percent=12.5,
        email_mask='{"with": "email", "keep_domains": ["shop.example"]}',
        mask_key_secret_arn="arn:mask-key",
    ),
]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_lambda_reads_what_cdk_writes(
    monkeypatch: pytest.MonkeyPatch, environment: LambdaEnvironment
) -> None:
    set_all(monkeypatch, environment.variables())

    assert type(environment).read() == environment


def test_what_has_no_value_is_not_written() -> None:
    written = Sample(exchange_bucket="exchange").variables()

    assert written == {
        "EXCHANGE_BUCKET": "exchange",
        "USERS_TABLE": "public.users",
        "REQUIRE_VERIFIED_EMAIL": "false",
        "RELEASE_MISMATCHED": "true",
        "MIN_MATCHED_PERCENT": "0",
    }


@pytest.mark.parametrize(
    ("in_parts", "concurrency", "expected"),
    [
        (None, None, ("first_load", 8)),
        ("", "", ("first_load", 8)),
        ("when_needed", "1", ("when_needed", 1)),
        ("never", "1000", ("never", 1000)),
    ],
)
def test_a_sync_is_divided_as_the_variables_say_and_by_default_at_the_first_load(
    monkeypatch: pytest.MonkeyPatch,
    in_parts: str | None,
    concurrency: str | None,
    expected: tuple[str, int],
) -> None:
    set_all(monkeypatch, {"IN_PARTS": in_parts, "PARTS_CONCURRENCY": concurrency})

    environment = DbSyncEnvironment.read()

    assert (environment.in_parts, environment.parts_concurrency) == expected


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("IN_PARTS", "always", "IN_PARTS must be one of first_load, when_needed, never"),
        ("IN_PARTS", "first_load ", "IN_PARTS must be one of"),
        ("PARTS_CONCURRENCY", "0", "PARTS_CONCURRENCY must be a whole number from 1 to 1000"),
        ("PARTS_CONCURRENCY", "1001", "PARTS_CONCURRENCY must be"),
        ("PARTS_CONCURRENCY", "-8", "PARTS_CONCURRENCY must be"),
        ("PARTS_CONCURRENCY", "8.0", "PARTS_CONCURRENCY must be"),
        ("PARTS_CONCURRENCY", "٨", "PARTS_CONCURRENCY must be"),
    ],
)
def test_what_says_otherwise_when_a_sync_is_divided_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=message):
        DbSyncEnvironment.read()
