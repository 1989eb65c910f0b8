"""The bucket in which the Lambdas pass files on and leave their reports."""

import json
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from common.aws.clients import CLIENT_CONFIG, aws_errors, give_up_soon
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A large file is uploaded in parts of 8 MB, of which ten would be in memory at once by default.
UPLOAD = TransferConfig(max_concurrency=2)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One execution's folder in the exchange bucket: `executions/<execution>/`."""

    client: "S3Client"
    bucket: str
    execution: str

    @classmethod
    def of(cls, bucket: str, execution: str) -> "Exchange":
        """Return the folder of an execution in a bucket."""
        return cls(_client(CLIENT_CONFIG), bucket, execution)

    def check_reachable(self) -> None:
        """Check that S3 answers, whatever it answers, before work is done that ends with a report.

        The request is anonymous: it needs no permission, and CloudTrail records no denied call.

        Raises:
            ConfigurationError: S3 cannot be reached.
        """
        anonymous = _client(CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED)))
        with aws_errors(f"reach s3://{self.bucket}"), suppress(ClientError):
            anonymous.head_bucket(Bucket=self.bucket)

    def key(self, name: str) -> str:
        """Return the key of a file of this execution."""
        return f"executions/{self.execution}/{name}"

    def uri(self, name: str) -> str:
        """Return the s3:// address of a file of this execution."""
        return f"s3://{self.bucket}/{self.key(name)}"

    def write_json(self, name: str, content: Mapping[str, Any]) -> str:
        """Write a JSON file and return its address.

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`.
        """
        with aws_errors(f"write {self.uri(name)}"):
            self.client.put_object(
                Bucket=self.bucket,
                Key=self.key(name),
                Body=json.dumps(content, indent=2).encode(),
                ContentType="application/json",
            )
        return self.uri(name)

    def write_page(self, key: str, page: str, metadata: Mapping[str, str]) -> None:
        """Write an HTML page under a complete key of the bucket.

        Args:
            key: anywhere in the bucket.
            page: the HTML.
            metadata: the object's, ASCII; 2 KB at most (Amazon S3 user guide, "Working with object
                metadata").

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`.
        """
        with aws_errors(f"write s3://{self.bucket}/{key}"):
            self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=page.encode(),
                ContentType="text/html; charset=utf-8",
                Metadata=dict(metadata),
            )

    def upload(self, name: str, content: IO[bytes]) -> str:
        """Upload a file from its beginning, in parts if it is large; return its address.

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`.
        """
        content.seek(0)
        with aws_errors(f"write {self.uri(name)}"):
            self.client.upload_fileobj(content, self.bucket, self.key(name), Config=UPLOAD)
        return self.uri(name)

    def open(self, key: str) -> IO[bytes]:
        """Return a stream of an object's bytes.

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`.
        """
        with aws_errors(f"read s3://{self.bucket}/{key}"):
            body: IO[bytes] = self.client.get_object(Bucket=self.bucket, Key=key)["Body"]  # type: ignore[assignment]  # a StreamingBody reads like a file
            return body

    def read(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`; or its download broke off.
        """
        # A StreamingBody's own "with" yields urllib3's stream, whose errors are not botocore's.
        with aws_errors(f"read s3://{self.bucket}/{key}"), closing(self.open(key)) as body:
            return body.read()

    def has(self, name: str) -> bool:
        """Return whether there is a file of this execution, which needs no right to read it.

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`.
        """
        key = self.key(name)
        with aws_errors(f"list s3://{self.bucket}/{key}"):
            found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        return any(entry["Key"] == key for entry in found.get("Contents", []))

    def read_if_there(self, name: str) -> bytes | None:
        """Return the bytes of a file of this execution; None if there is none.

        Without the right to list the bucket, S3 answers 403 and not 404 for a file that is missing.

        Raises:
            ConfigurationError, StagingSyncError: see `aws_errors`.
        """
        try:
            return self.read(self.key(name))
        except ConfigurationError as error:
            if _is_missing(error.__cause__):
                return None
            raise


def _is_missing(error: BaseException | None) -> bool:
    """Return whether S3 said that there is no such object."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey"


def _client(config: Config) -> "S3Client":
    client = boto3.client("s3", config=config)
    give_up_soon(client)
    return client
