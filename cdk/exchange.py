"""The bucket by which the Lambdas pass on files, and to which they write their reports."""

from typing import cast

from aws_cdk import (
    Acknowledgment,
    CfnElement,
    Duration,
    Stack,
    Validations,
    aws_iam,
    aws_kms,
    aws_s3,
)
from constructs import Construct

from cdk.removal import removal_policy
from cdk.settings.arns import partition_of, service_of

KEPT_DAYS = 30


class ExchangeBucket(Construct):
    """A private, encrypted bucket whose files expire, and permissions on parts of it."""

    def __init__(
        self, scope: Construct, id_: str, *, retain: bool, key: aws_kms.IKey | None
    ) -> None:
        """Create the bucket.

        Args:
            scope: the parent.
            id_: the construct's id.
            retain: whether it is kept when the stack is deleted. Otherwise CloudFormation deletes
                it, which works only if it is empty: emptying it would need another Lambda.
            key: a customer managed key for the files; by default S3 uses its own.
        """
        super().__init__(scope, id_)
        self._key = key
        self.bucket = aws_s3.Bucket(
            self,
            "Bucket",
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            encryption=(aws_s3.BucketEncryption.KMS if key else aws_s3.BucketEncryption.S3_MANAGED),
            encryption_key=key,
            bucket_key_enabled=True if key else None,  # one request to KMS for many files
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy(retain=retain),
            lifecycle_rules=[
                aws_s3.LifecycleRule(
                    id="ExpireExecutions",
                    prefix="executions/",
                    expiration=Duration.days(KEPT_DAYS),
                ),
                aws_s3.LifecycleRule(
                    id="AbortUploads", abort_incomplete_multipart_upload_after=Duration.days(1)
                ),
            ],
        )
        Validations.of(self.bucket).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1",
                reason="Five roles have access, its files expire, and each execution's history"
                " says who wrote what: access logs would need a second bucket and say no more.",
            )
        )

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.bucket.bucket_name

    def grant_read(self, role: aws_iam.IRole, files: str) -> None:
        """Allow a role to read these files of every execution."""
        self._allow(role, files, "s3:GetObject")
        self._allow_key(role, "kms:Decrypt")

    def grant_write(self, role: aws_iam.IRole, files: str) -> None:
        """Allow a role to write these files of every execution in one request."""
        self._allow(role, files, "s3:PutObject")
        self._allow_key(role, "kms:GenerateDataKey")

    def grant_upload(self, role: aws_iam.IRole, files: str) -> None:
        """Allow a role to upload these files of every execution in parts, and to abort that."""
        self._allow(role, files, "s3:PutObject", "s3:AbortMultipartUpload")
        # S3 decrypts the parts to put them together.
        self._allow_key(role, "kms:GenerateDataKey", "kms:Decrypt")

    def grant_write_latest(self, role: aws_iam.IRole, file: str) -> None:
        """Allow a role to write a file of the last execution, beside the executions' folders.

        It does not expire: the last one is the last one, however long ago it was.
        """
        self._allow_path(role, f"latest/{file}", "s3:PutObject")
        self._allow_key(role, "kms:GenerateDataKey")

    def grant_list(self, role: aws_iam.IRole, files: str = "") -> None:
        """Allow a role to learn that one of these files is not there; or to list all of them.

        Without it S3 answers "forbidden" for a missing file (Amazon S3 API reference, "GetObject").
        Which prefix it checks then is not documented, so that a request without one is allowed
        too: such a listing shows the names of all files. Other folders cannot be listed.
        """
        prefix = f"executions/*/{files}" if files else "executions/*"
        role.add_to_principal_policy(
            aws_iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLikeIfExists": {"s3:prefix": prefix}},
            )
        )

    def _allow_key(self, role: aws_iam.IRole, *actions: str) -> None:
        """Allow a role to use the customer managed key through S3, and for this bucket only.

        With a bucket key the encryption context is the bucket's ARN (S3 user guide, "Reducing
        the cost of SSE-KMS with Amazon S3 Bucket Keys").
        """
        if self._key is None:
            return
        region = Stack.of(self).region
        role.add_to_principal_policy(
            aws_iam.PolicyStatement(
                actions=list(actions),
                resources=[self._key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": service_of("s3", region, partition_of(self._key.key_arn)),
                        "kms:EncryptionContext:aws:s3:arn": self.bucket.bucket_arn,
                    }
                },
            )
        )

    def _allow(self, role: aws_iam.IRole, files: str, *actions: str) -> None:
        path = f"executions/*/{files}"
        self._allow_path(role, path, *actions)
        # cdk-nag names the bucket by its logical id.
        bucket = Stack.of(self).get_logical_id(cast(CfnElement, self.bucket.node.default_child))
        Validations.of(role).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/{path}]",
                reason="The asterisks stand for an execution's name, which is not known before it"
                " starts, and for the files in one folder.",
            )
        )

    def _allow_path(self, role: aws_iam.IRole, path: str, *actions: str) -> None:
        role.add_to_principal_policy(
            aws_iam.PolicyStatement(
                actions=list(actions), resources=[self.bucket.arn_for_objects(path)]
            )
        )
