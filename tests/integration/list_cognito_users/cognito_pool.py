"""Filling a pool, or the stub of one, and reading what was written of it."""

import csv
import gzip
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.stub import Stubber

from common.manifest import Manifest
from tests.integration.bucket import BUCKET, EXECUTION, MANIFEST, REGION

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_s3 import S3Client

POOL = f"{REGION}_stubbed"
EVENT = {"execution": EXECUTION, "input": {"sync_cognito": True}}


def sign_up(cognito: "CognitoIdentityProviderClient", pool_id: str, *emails: str) -> dict[str, str]:
    """Create users named user-1, user-2, …; return the emails with their subs."""
    subs = {}
    for number, email in enumerate(emails, 1):
        user = cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=f"user-{number}",
            UserAttributes=[{"Name": "email", "Value": email}],
        )["User"]
        subs[email] = next(each["Value"] for each in user["Attributes"] if each["Name"] == "sub")
    return subs


def user(number: int, **attributes: str) -> dict[str, Any]:
    """Return a user in the shape of ListUsers' answer."""
    given = {"sub": f"sub-{number}", "email": f"u{number}@example.com"} | attributes
    return {
        "Username": f"name-{number}",
        "UserStatus": "CONFIRMED",
        "Enabled": True,
        "UserLastModifiedDate": datetime.fromisoformat("2026-03-01T12:00:00+02:00"),
        "Attributes": [{"Name": name, "Value": value} for name, value in given.items()],
    }


def add_pages(stub: Stubber, *pages: list[dict[str, Any]], more: bool = False) -> None:
    """Let ListUsers answer with these pages; a request with any other field is an error.

    With `more`, the last of them names a next one too.
    """
    for number, users in enumerate(pages, 1):
        expected: dict[str, Any] = {"UserPoolId": POOL, "Limit": 60}
        answer: dict[str, Any] = {"Users": users}
        if number > 1:
            expected["PaginationToken"] = f"token-{number}"
        if more or number < len(pages):
            answer["PaginationToken"] = f"token-{number + 1}"
        stub.add_response("list_users", answer, expected)


def read_manifest(s3: "S3Client") -> Manifest:
    return Manifest.parse(s3.get_object(Bucket=BUCKET, Key=MANIFEST)["Body"].read())


def read_rows(s3: "S3Client") -> list[dict[str, str]]:
    """Return the rows of the parts that the manifest names."""
    rows: list[dict[str, str]] = []
    for part in read_manifest(s3).parts:
        text = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=part.key)["Body"].read()).decode()
        of_part = list(csv.DictReader(io.StringIO(text, newline="")))
        assert len(of_part) == part.lines, part.key
        rows += of_part
    return rows
