"""AWS clients with the retries and time limits that we want, and botocore's errors named."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import botocore.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import ConfigurationError, StagingSyncError

# The default (legacy) mode does not retry Cognito's TooManyRequestsException. The time to connect
# is granted to each of a service's addresses, of which S3 has eight.
CLIENT_CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=2, read_timeout=20
)
# Seconds after which a call that finds no connection is not tried again. With three addresses or
# less a pause and another try may follow, of 6 s at most; with more, the first try is the last.
# So a VPC without a route is named within 20 s.
CONNECTING = 7.0
STARTED = "staging_sync_started"  # in a call's context

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

# What AWS says of a right that is missing; the rest of the sentence names who lacks it.
MISSING_RIGHT = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
# Secrets Manager's words for a key that the caller may not use, or that is not of its account.
NO_KEY = "Access to KMS is not allowed"
DELETED = re.compile(r"marked (for deletion|deleted)")


class Client(Protocol):
    """Any client of boto3."""

    @property
    def meta(self) -> Any:
        """What a client knows of itself: its events among it."""


def give_up_soon(client: Client) -> None:
    """Let a client whose service cannot be connected to say so within 20 s, all tries included.

    botocore limits each try, for each address, and the number of tries: together minutes.
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
            raise ConfigurationError(f"{text} {_remedy(error)}") from error
        raise StagingSyncError(f"{text} Start the execution again later.") from error
    except BotoCoreError as error:
        raise ConfigurationError(
            f"Could not {doing}: {type(error).__name__}. Check that this Lambda can reach the"
            " service: a subnet without a NAT needs a VPC endpoint for it, and security groups"
            " that let HTTPS pass."
        ) from error


def _remedy(error: ClientError) -> str:
    """Return what to do; of AWS's own words only the name of a right is shown."""
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
