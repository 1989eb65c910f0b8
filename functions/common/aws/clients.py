"""AWS clients with our retries and time limits, and botocore's errors named as ours."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import botocore.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import ConfigurationError, StagingSyncError

# The default (legacy) mode does not retry Cognito's TooManyRequestsException. connect_timeout holds
# for each of a service's addresses, of which S3 has eight.
CLIENT_CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=2, read_timeout=20
)
# Seconds after which a call that could not connect is not retried. With three addresses or fewer it
# may be retried once after a pause, which takes 6 s at most; with more it is not. So a VPC without
# a route is reported within 20 s.
CONNECTING = 7.0
STARTED = "staging_sync_started"  # key in a call's context

# Codes for which retrying cannot help: something is missing, or not permitted.
PERMANENT_CODES = frozenset(
    {
        "403",
        "404",
        "AccessDenied",
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidParameterException",
        "InvalidRequestException",
        "KMS.DisabledException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
        "NoSuchBucket",
        "NoSuchKey",
        "NotAuthorizedException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)

# AWS's message about a missing permission; the rest of it names the caller.
MISSING_RIGHT = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
# Secrets Manager's message about a key that the caller may not use, or of another account.
NO_KEY = "Access to KMS is not allowed"
DELETED = re.compile(r"marked (for deletion|deleted)")


class Client(Protocol):
    """Any client of boto3."""

    @property
    def meta(self) -> Any:
        """What a client knows about itself; its events are part of it."""


def give_up_soon(client: Client) -> None:
    """Make a client fail within 20 s, retries included, if its service cannot be reached.

    botocore limits each attempt at each address, and the number of attempts: together minutes.
    """
    client.meta.events.register_first("before-call", _note_start)
    client.meta.events.register_first("needs-retry", _end_if_late)


def _note_start(context: dict[str, Any], **_: object) -> None:
    context[STARTED] = time.monotonic()


def _end_if_late(
    request_dict: dict[str, Any], caught_exception: Exception | None, **_: object
) -> None:
    is_late = time.monotonic() - request_dict["context"][STARTED] > CONNECTING
    if is_late and isinstance(caught_exception, botocore.exceptions.ConnectionError):
        raise caught_exception


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Raise botocore's errors in a with statement as ours; used where the call is made.

    Args:
        doing: what the call does, and to which object, e.g. "read secret arn:…".

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
            raise ConfigurationError(f"{text} {_remedy(error)}") from error
        raise StagingSyncError(f"{text} Start the execution again later.") from error
    except BotoCoreError as error:
        raise ConfigurationError(
            f"Could not {doing}: {type(error).__name__}. Check that this Lambda can reach the"
            " service: a subnet without a NAT needs a VPC endpoint for it, and security groups"
            " that let HTTPS pass."
        ) from error


def _remedy(error: ClientError) -> str:
    """Return what to do; of AWS's own message it shows only the name of a permission."""
    said = error.response.get("Error", {}).get("Message", "")
    missing = MISSING_RIGHT.search(said)
    if missing or NO_KEY in said:
        return _how_to_grant(missing[1] if missing else "kms:Decrypt")
    if DELETED.search(said):
        return "It is marked for deletion: restore it, or name another in cdk.json and deploy."
    return "Check that it exists, in that Region, and that this Lambda's role may use it."


def _how_to_grant(right: str) -> str:
    if right.startswith("kms:"):
        return (
            f"This Lambda's role lacks {right} on the key. Name the key in cdk.json"
            " (secrets_kms_key_arns for a secret's, kms_key_arn for the bucket's) and deploy; the"
            " key's own policy must allow it too."
        )
    return (
        f"This Lambda's role lacks {right}. Deploy again; what lies in another account must also"
        " allow the role in its own policy."
    )
