import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from common.aws.secrets import parse_database_secret, read_database_secret
from common.errors import ConfigurationError
from common.postgres.connection.address import DatabaseAddress
from tests.unit.answers import SEND, answer

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:staging-db-AbCdEf"
SECRET = {
    "host": "db.example.com",
    "port": 5433,
    "username": "sync",
    "password": "Tr0ub4dor&3",
    "dbname": "bookshop",
}
ADDRESS = DatabaseAddress.of_server(
    host="db.example.com", port="5433", user="sync", password="Tr0ub4dor&3", dbname="bookshop"
)


def secret(**changed: Any) -> str:
    """Return the text of a valid secret with some fields changed; None removes a field."""
    return json.dumps({k: v for k, v in (SECRET | changed).items() if v is not None})


def test_a_secret_of_the_rds_shape_is_an_address() -> None:
    assert parse_database_secret(ARN, secret()) == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        secret(port="5433"),
        secret(dbname=None, database="bookshop"),
        secret(database="another one"),  # dbname takes precedence
        secret(engine="postgres", dbInstanceIdentifier="staging"),
    ],
)
def test_a_secret_may_have_other_forms_too(text: str) -> None:
    assert parse_database_secret(ARN, text) == ADDRESS


def test_a_port_that_is_not_given_is_postgresqls_own() -> None:
    assert parse_database_secret(ARN, secret(port=None)).parameters["port"] == "5432"


def test_a_host_may_be_a_unix_sockets_directory() -> None:
    address = parse_database_secret(ARN, secret(host="/tmp/sockets"))  # noqa: S108  # not opened

    assert address.parameters["host"] == "/tmp/sockets"  # noqa: S108  # not opened


@pytest.mark.parametrize("field", ["host", "username", "password", "dbname"])
@pytest.mark.parametrize("value", [None, "", 5, ["Tr0ub4dor&3"], {"is": "Tr0ub4dor&3"}])
def test_a_missing_or_malformed_field_is_named_with_the_secrets_arn(
    field: str, value: object
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_database_secret(ARN, secret(**{field: value}))

    assert f"The secret {ARN} lacks {field}." in str(caught.value)
    assert "Tr0ub4dor&3" not in str(caught.value)


@pytest.mark.parametrize("port", ["", "abc", "54 32", -1, 5432.5, True, [5432]])
def test_a_port_that_is_no_number_is_named(port: object) -> None:
    with pytest.raises(ConfigurationError, match="port must be a number"):
        parse_database_secret(ARN, secret(port=port))


URL = "postgresql://sync:Tr0ub4dor&3@db.example.com:5432/shop"
CONNINFO = "host=db.example.com user=sync password=Tr0ub4dor&3"


@pytest.mark.parametrize(
    "host",
    [
        URL,
        CONNINFO,
        "sync:Tr0ub4dor&3@db.example.com",
        "db.example.com/shop",
        "db.example.com, Tr0ub4dor&3",
        "/var/run?password=Tr0ub4dor&3",
        "/sync:Tr0ub4dor&3@db.example.com",
        "Tr0ub4dor&3",
        "Tr0ub4dor 3",
        "\ud800",
    ],
)
def test_a_host_that_is_more_than_a_host_is_named_and_not_shown(host: str) -> None:
    assert_not_shown(secret(host=host), "host must be a host's name, an IP address or a directory")


def test_a_host_that_includes_the_port_is_named_as_such() -> None:
    assert_not_shown(secret(host="db.example.com:5432"), "host has the port in it")


@pytest.mark.parametrize(
    "dbname",
    [
        URL,
        CONNINFO,
        "postgresql%3A%2F%2Fsync%3ATr0ub4dor&3%40db.example.com",
        "shop?password=Tr0ub4dor&3",
        "jdbc:postgresql://db.example.com/shop",
        "shop\0",
        "\ud800",
    ],
)
def test_a_dbname_that_is_a_connection_string_is_named_and_not_shown(dbname: str) -> None:
    assert_not_shown(secret(dbname=dbname), "dbname must be a database's name")


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", ["Tr0ub4dor&3\0", "Tr0ub4dor&3\ud800"])
def test_a_value_that_postgresql_cannot_accept_is_named_and_not_shown(
    field: str, value: str
) -> None:
    assert_not_shown(secret(**{field: value}), f"{field} has a character that no {field} can have")


@pytest.mark.parametrize("port", ["Tr0ub4dor&3", "5432/shop?password=Tr0ub4dor&3", 0, 65536])
def test_a_port_is_a_number_or_named_and_not_shown(port: object) -> None:
    assert_not_shown(secret(port=port), "port must be a number")


@pytest.mark.parametrize(
    "host",
    [
        "db.example.com.",
        "shop.cluster-c0ffee.eu-west-1.rds.amazonaws.com",
        "10.0.0.7",
        "2001:db8::7",
        "localhost",
        "my_database",
    ],
)
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert parse_database_secret(ARN, secret(host=host)).parameters["host"] == host


def assert_not_shown(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_database_secret(ARN, text)
    assert f"The secret {ARN} is malformed: {named}" in str(caught.value)
    assert not {word for word in ("Tr0ub4dor", "sync:", "db.example") if word in str(caught.value)}


def test_all_missing_fields_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match="lacks host, username, password, dbname"):
        parse_database_secret(ARN, "{}")


@pytest.mark.parametrize(
    "text", ["", "Tr0ub4dor&3", '{"password": "Tr0ub4dor&3"', '["Tr0ub4dor&3"]']
)
def test_a_secret_that_is_no_json_object_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_database_secret(ARN, text)

    assert f"The secret {ARN} is not a JSON object" in str(caught.value)
    assert "Tr0ub4dor" not in str(caught.value)
    # A JSON error has the complete document in an attribute.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@given(st.dictionaries(st.sampled_from(sorted(SECRET)), st.just("s3cr3t") | st.integers()))
def test_whatever_a_secret_holds_or_lacks_no_value_of_it_is_shown(content: dict[str, Any]) -> None:
    try:
        shown = repr(parse_database_secret(ARN, json.dumps(content)))
    except ConfigurationError as error:
        shown = str(error)

    assert "s3cr3t" not in shown


def test_an_addresss_text_and_repr_hold_no_password() -> None:
    address = parse_database_secret(ARN, secret())

    assert str(address) == "db.example.com:5433/bookshop"
    assert "Tr0ub4dor&3" not in repr(address)


def test_a_secret_is_read_from_the_region_in_its_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="ap-southeast-2")
        arn = client.create_secret(Name="production", SecretString=secret())["ARN"]

        assert read_database_secret(arn) == ADDRESS


def test_an_address_can_be_read_again_where_the_secret_has_changed() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        arn = client.create_secret(Name="production", SecretString=secret())["ARN"]
        address = read_database_secret(arn)
        client.put_secret_value(SecretId=arn, SecretString=secret(password="the-new-one"))

        assert address.read_again is not None
        assert address.read_again().parameters["password"] == "the-new-one"


def test_a_secret_that_does_not_exist_is_named() -> None:
    with (
        mock_aws(),
        pytest.raises(ConfigurationError, match=f"secret {ARN}: ResourceNotFoundException"),
    ):
        read_database_secret(ARN)


def test_a_binary_secret_is_not_a_json_object() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        arn = client.create_secret(Name="binary", SecretBinary=b"{}")["ARN"]

        with pytest.raises(ConfigurationError, match="is not a JSON object"):
            read_database_secret(arn)


@pytest.mark.parametrize(
    "arn", ["", "staging-db", "arn:aws:s3:::bucket", ARN.replace("eu-west-1", "")]
)
def test_an_arn_of_anything_else_is_refused(arn: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the ARN of a secret"):
        read_database_secret(arn)


def test_a_secret_that_lies_in_another_region_than_its_arn_says_is_named() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        arn = client.create_secret(Name="production", SecretString=secret())["ARN"]
        elsewhere = arn.replace("us-east-1", "eu-west-1")

        with pytest.raises(ConfigurationError) as caught:
            read_database_secret(elsewhere)

    assert f"Could not read the secret {elsewhere}: ResourceNotFoundException" in str(caught.value)
    assert "Check that it exists, in that Region" in str(caught.value)


def test_a_deleted_secret_is_named_with_how_to_restore_it() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        arn = client.create_secret(Name="production", SecretString=secret())["ARN"]
        client.delete_secret(SecretId=arn)

        with pytest.raises(ConfigurationError) as caught:
            read_database_secret(arn)

    assert f"Could not read the secret {arn}: InvalidRequestException" in str(caught.value)
    assert "It is marked for deletion: restore it" in str(caught.value)


def test_a_key_that_may_not_be_used_is_named_with_the_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> AWSResponse:
        body = b'{"__type": "AccessDeniedException", "Message": "Access to KMS is not allowed"}'
        return answer(400, body)

    monkeypatch.setattr(SEND, refuse)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    with pytest.raises(ConfigurationError) as caught:
        read_database_secret(ARN)

    assert f"Could not read the secret {ARN}: AccessDeniedException" in str(caught.value)
    assert "lacks kms:Decrypt on the key" in str(caught.value)
