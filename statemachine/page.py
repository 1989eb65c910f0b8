"""Fetches the page about an execution, which another Lambda writes soon after the end."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from write_report.history import FOLDER, PAGE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TIMEOUT = 30.0  # seconds; it takes about one, and a cold start some more
POLL = 0.2  # seconds
BUILD = Path(__file__).resolve().parent.parent / "build"


class NoPageError(Exception):
    """The page is not there, or cannot be read; the message says why."""


def address_of_page(bucket: str, execution: str) -> str:
    """Return the s3:// address of the page of an execution, by its name."""
    return f"s3://{bucket}/{FOLDER}{execution}/{PAGE}"


def wait_for_page(
    s3: "S3Client", bucket: str, execution: str, *, timeout: float = TIMEOUT, poll: float = POLL
) -> str:
    """Return the page of an execution, by its name, as soon as it is there.

    Args:
        s3: a client.
        bucket: the exchange bucket.
        execution: the execution's name.
        timeout: how long to wait, in seconds.
        poll: how often to ask, in seconds.

    Raises:
        NoPageError: it is not there in time. Who may not list the bucket cannot tell that from not
            being allowed to read it.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            found = s3.get_object(Bucket=bucket, Key=f"{FOLDER}{execution}/{PAGE}")
            return found["Body"].read().decode()
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() >= deadline:
                raise NoPageError(str(error)) from error
        time.sleep(poll)


def save_page(page: str, name: str) -> Path:
    """Write a page to a file in build/ and return its path, as seen from here if it is below."""
    BUILD.mkdir(exist_ok=True)
    file = BUILD / f"report-{re.sub(r'[^\w-]', '_', name)}.html"
    file.write_text(page, encoding="utf-8")
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
