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


@pytest.mark.parametrize("text", [KEY, json.dumps({"mask_key": KEY})])
@mock_aws
def test_a_secret_holds_the_key_as_it_is_or_as_a_field(text: str) -> None:
    assert read_mask_key(create_secret(text)) == MaskKey(KEY)


@mock_aws
def test_a_key_of_digits_only_is_taken_as_text() -> None:
    assert read_mask_key(create_secret("1234567890" * 4)) == MaskKey("1234567890" * 4)


@pytest.mark.parametrize("text", ["{}", '{"mask_key": 5}', '{"mask_key": ""}', '{"key": "x"}'])
@mock_aws
def test_a_secret_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r'the key itself, or .* the field "mask_key"'):
        read_mask_key(create_secret(text))


@mock_aws
def test_a_short_key_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="shorter than 32 characters") as refused:
        read_mask_key(create_secret(SHORT))
    assert SHORT not in str(refused.value)


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
