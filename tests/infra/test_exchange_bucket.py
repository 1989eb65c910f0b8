"""The bucket: private, encrypted, and its files expire after a month."""

from pathlib import Path
from typing import Any

from tests.infra.synthesized import Synthesized, synthesize


def test_the_bucket_is_private(bare: Synthesized) -> None:
    bucket = bare.only("AWS::S3::Bucket")
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_is_encrypted(bare: Synthesized) -> None:
    encryption = bare.only("AWS::S3::Bucket")["BucketEncryption"]
    assert encryption == {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }


def test_the_bucket_s_policy_denies_requests_without_tls_and_allows_nothing(
    bare: Synthesized,
) -> None:
    statements = bare.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    refusals = {
        (
            statement["Effect"],
            statement["Action"],
            statement["Principal"]["AWS"],
            *(bare.text(resource) for resource in statement["Resource"]),
            str(statement["Condition"]),
        )
        for statement in statements
    }
    everything = ("<Exchange/Bucket.Arn>", "<Exchange/Bucket.Arn>/*")
    assert refusals == {
        ("Deny", "s3:*", "*", *everything, "{'Bool': {'aws:SecureTransport': 'false'}}"),
        ("Deny", "s3:*", "*", *everything, "{'NumericLessThan': {'s3:TlsVersion': 1.2}}"),
    }


def test_what_executions_write_expires_and_unfinished_uploads_are_aborted(
    bare: Synthesized,
) -> None:
    rules = bare.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert [
        (rule.get("Prefix"), rule.get("ExpirationInDays"))
        for rule in rules
        if "ExpirationInDays" in rule
    ] == [("executions/", 30)]
    assert [
        (rule.get("Prefix"), rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        for rule in rules
        if "AbortIncompleteMultipartUpload" in rule
    ] == [(None, 1)]
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_bucket_and_logs_are_kept_when_the_stack_is_deleted_by_default(bare: Synthesized) -> None:
    assert removal_policies(bare) == {"Retain"}


def test_bucket_and_logs_are_deleted_with_the_stack_if_that_is_set(
    tmp_path: Path, minimal_settings: dict[str, Any]
) -> None:
    settings = {**minimal_settings, "retain_data": False}
    assert removal_policies(synthesize(tmp_path / "out", settings)) == {"Delete"}


def removal_policies(stack: Synthesized) -> set[str]:
    return {
        resource["DeletionPolicy"]
        for resource in stack.template["Resources"].values()
        if resource["Type"] in {"AWS::S3::Bucket", "AWS::Logs::LogGroup"}
    }
