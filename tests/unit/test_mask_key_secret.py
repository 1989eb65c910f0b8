"""The mask key in Secrets Manager."""

import json

import boto3
import pytest
from moto import mock_aws

from common.aws.mask_key import read_mask_key
from common.errors import ConfigurationError
from common.masking.keys import MaskKey

REGION = "eu-west-1"
KEY = "0123456789abcdef" * 4
SHORT = "correct horse"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")  # the secret's is in its ARN


def create_secret(text: str) -> str:
    """Create a secret and return its ARN."""
    client = boto3.client("secretsmanager", region_name=REGION)
    arn: str = client.create_secret(Name="mask-key", SecretString=text)["ARN"]
    return arn


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"{KEY}\n",  # as a file has it
        f" {KEY}\r\n",
        json.dumps({"mask_key": KEY}),
        json.dumps({"mask_key": f"{KEY}\n", "rotated": "2024-02-29"}, indent=1),
    ],
)
@mock_aws
def test_a_secret_holds_the_key_as_it_is_or_as_a_field_whatever_is_around_it(text: str) -> None:
    assert read_mask_key(create_secret(text)) == MaskKey(KEY)


@mock_aws
def test_a_key_of_digits_only_is_taken_as_text() -> None:
    assert read_mask_key(create_secret("1234567890" * 4)) == MaskKey("1234567890" * 4)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "\n",
        '{"mask_key": 5}',
        '{"mask_key": ""}',
        '{"mask_key": " "}',
        json.dumps({"key": KEY}),
        json.dumps([KEY]),
        json.dumps(KEY),  # with quotes, which the command's variable does not have
        json.dumps({"mask_key": KEY}).removesuffix("}"),
    ],
)
@mock_aws
def test_a_secret_without_a_key_is_refused_and_not_shown(text: str) -> None:
    arn = create_secret(text)

    with pytest.raises(ConfigurationError) as refused:
        read_mask_key(arn)

    assert f"{arn} holds no mask key" in str(refused.value)
    assert 'the key itself, or a JSON object with the field "mask_key"' in str(refused.value)
    assert KEY not in str(refused.value)
    # A JSON error has the complete document in an attribute.
    assert refused.value.__context__ is None


@mock_aws
def test_a_binary_secret_holds_no_key() -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    arn = client.create_secret(Name="mask-key", SecretBinary=KEY.encode())["ARN"]

    with pytest.raises(ConfigurationError, match="holds no mask key"):
        read_mask_key(arn)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (SHORT, "shorter than 32 characters"),
        ("\ud800" * 64, "not ASCII"),  # half of a pair, which cannot be encoded
        ("schlüssel" * 4, "not ASCII"),
    ],
)
@mock_aws
def test_a_key_that_cannot_be_used_is_refused_with_its_secret_and_not_shown(
    key: str, why: str
) -> None:
    arn = create_secret(json.dumps({"mask_key": key}))

    with pytest.raises(ConfigurationError, match=why) as refused:
        read_mask_key(arn)

    assert f"It is in the secret {arn}." in str(refused.value)
    assert key not in str(refused.value)


@mock_aws
def test_a_secret_that_does_not_exist_is_named() -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:mask-key-AbCdEf"
    with pytest.raises(ConfigurationError, match="mask-key-AbCdEf"):
        read_mask_key(arn)


def test_what_is_no_arn_is_refused_with_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="Correct mask_key_secret_arn"):
        read_mask_key("mask-key")


def test_a_key_is_not_shown_by_accident() -> None:
    assert KEY not in repr(MaskKey(KEY))
