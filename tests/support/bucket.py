"""The names of the exchange bucket in moto's S3, of an execution and of its files."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION: Literal["eu-central-1"] = "eu-central-1"
BUCKET = "exchange"
EXECUTION = "run-1"
FOLDER = f"executions/{EXECUTION}/cognito-users"
MANIFEST = f"{FOLDER}/manifest.json"


def stored_keys(s3: "S3Client") -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
