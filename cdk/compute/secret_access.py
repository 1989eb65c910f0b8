"""Permission to read one secret, and to use its key for that secret and nothing else."""

from collections.abc import Iterable

from aws_cdk import aws_iam

from cdk.settings.arns import partition_of, region_of, service_of


def grant_read_secret(role: aws_iam.Role, secret_arn: str, key_arns: Iterable[str]) -> None:
    """Allow a role to read a secret.

    Args:
        role: the role.
        secret_arn: the secret; one in another account must allow the role too.
        key_arns: customer managed keys, of which those in the secret's Region may be its own. The
            role may use them through Secrets Manager only, and for this secret only: its ARN is the
            encryption context (Secrets Manager user guide, "Secret encryption").
    """
    role.add_to_policy(
        aws_iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret_arn])
    )
    region = region_of(secret_arn)
    keys = [arn for arn in key_arns if region_of(arn) == region]
    if keys:
        role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=keys,
                conditions={
                    "StringEquals": {
                        "kms:ViaService": service_of(
                            "secretsmanager", region, partition_of(secret_arn)
                        ),
                        "kms:EncryptionContext:SecretARN": secret_arn,
                    }
                },
            )
        )
