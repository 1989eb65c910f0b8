import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from common.aws.clients import PERMANENT_CODES, aws_errors
from common.errors import ConfigurationError, StagingSyncError


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "jane@example.com"}}, "GetSecretValue")


@pytest.mark.parametrize("code", sorted(PERMANENT_CODES))
def test_an_error_that_a_retry_cannot_change_is_a_configuration_error(code: str) -> None:
    with pytest.raises(ConfigurationError) as caught, aws_errors("read the secret arn:x"):
        raise client_error(code)

    assert f"Could not read the secret arn:x: {code} from GetSecretValue." in str(caught.value)
    assert "role may use it" in str(caught.value)


@pytest.mark.parametrize("code", ["InternalError", "SlowDown", "ServiceUnavailable", "Unheard"])
def test_a_failing_service_is_named_by_the_root_error(code: str) -> None:
    with pytest.raises(StagingSyncError) as caught, aws_errors("write s3://exchange/x"):
        raise client_error(code)

    assert type(caught.value) is StagingSyncError
    assert f"Could not write s3://exchange/x: {code} from GetSecretValue." in str(caught.value)


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://s3.test"), NoCredentialsError()]
)
def test_a_service_that_cannot_be_reached_is_a_configuration_error(error: Exception) -> None:
    with pytest.raises(ConfigurationError) as caught, aws_errors("read the secret arn:x"):
        raise error

    assert type(error).__name__ in str(caught.value)
    assert "VPC endpoint" in str(caught.value)


@pytest.mark.parametrize("error", [client_error("AccessDenied"), NoCredentialsError()])
def test_the_original_error_is_chained_and_its_message_not_repeated(error: Exception) -> None:
    with pytest.raises(StagingSyncError) as caught, aws_errors("do something"):
        raise error

    assert caught.value.__cause__ is error
    assert "jane@example.com" not in str(caught.value)


def test_an_error_that_is_not_from_aws_passes_unchanged() -> None:
    with pytest.raises(KeyError, match="mine"), aws_errors("do something"):
        raise KeyError("mine")


ROLE = "User: arn:aws:sts::111122223333:assumed-role/DbSync/session"
WHY = "because no identity-based policy allows the action"


@pytest.mark.parametrize(
    ("code", "said", "named", "remedy"),
    [
        (
            "AccessDeniedException",
            f"{ROLE} is not authorized to perform: secretsmanager:GetSecretValue on resource:"
            f" arn:x {WHY}",
            "secretsmanager:GetSecretValue",
            "what lies in another account must also allow the role",
        ),
        (
            "AccessDeniedException",
            "Access to KMS is not allowed",
            "kms:Decrypt on the key",
            "Name the key in cdk.json (secrets_kms_key_arns",
        ),
        (
            "AccessDenied",
            f"{ROLE} is not authorized to perform: kms:GenerateDataKey on resource: arn:x {WHY}",
            "kms:GenerateDataKey on the key",
            "kms_key_arn for the bucket's",
        ),
        (
            "AccessDenied",
            f"{ROLE} is not authorized to perform: s3:PutObject on resource: arn:x {WHY}",
            "s3:PutObject.",
            "Deploy again",
        ),
    ],
)
def test_a_missing_permission_is_named_and_the_role_is_not(
    code: str, said: str, named: str, remedy: str
) -> None:
    answer = {"Error": {"Code": code, "Message": said}}
    with pytest.raises(ConfigurationError) as caught, aws_errors("read the secret arn:x"):
        raise ClientError(answer, "GetSecretValue")  # type: ignore[arg-type]  # a part of it
    assert f"This Lambda's role lacks {named}" in str(caught.value)
    assert remedy in str(caught.value)
    assert "assumed-role" not in str(caught.value)
