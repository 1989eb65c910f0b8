"""AWS clients with the retries and time limits that we want, and botocore's errors named."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import ConfigurationError, StagingSyncError

# The default (legacy) mode does not retry Cognito's TooManyRequestsException; a VPC without
# a route must be told apart from a slow answer within seconds.
CLIENT_CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=3, read_timeout=20
)

# Codes that another try cannot change: something is missing, or not permitted.
PERMANENT_CODES = frozenset(
    {
        "403",
        "404",
        "AccessDenied",
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidParameterException",
        "InvalidRequestException",
        "NoSuchBucket",
        "NoSuchKey",
        "NotAuthorizedException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Name botocore's errors once, where a call is made.

    Args:
        doing: what was tried and on which object, e.g. "read secret arn:…".

    Raises:
        ConfigurationError: the object is missing, the role may not use it, or the service
            cannot be reached.
        StagingSyncError: the service failed.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        text = f"Could not {doing}: {code} from {error.operation_name}."
        if code in PERMANENT_CODES:
            raise ConfigurationError(
                f"{text} Check that it exists and that this Lambda's role may use it."
            ) from error
        raise StagingSyncError(f"{text} Start the execution again later.") from error
    except BotoCoreError as error:
        raise ConfigurationError(
            f"Could not {doing}: {type(error).__name__}. Check that this Lambda can reach the"
            " service: a subnet without a NAT needs a VPC endpoint for it."
        ) from error
