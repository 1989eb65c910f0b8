"""What a Lambda's role may do to log in to one database."""

from aws_cdk import aws_iam

from cdk.compute.secret_access import grant_read_secret
from cdk.settings.model import Settings


def grant_login(role: aws_iam.Role, settings: Settings, side: str) -> None:
    """Allow a role what a login to one side's database needs.

    Args:
        role: the role.
        settings: where the database is.
        side: "prod" or "staging".
    """
    secret, database = settings.secret_arn_of(side), settings.database_of(side)
    if secret:
        grant_read_secret(role, secret, settings.secrets_kms_key_arns)
    elif database.role_arn:
        role.add_to_policy(
            aws_iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[database.role_arn])
        )
    else:
        # RDS user guide, "Creating and using an IAM policy for IAM database access".
        user = f"dbuser:{database.resource_id}/{database.username}"
        arn = f"arn:{settings.partition}:rds-db:{database.region}:{database.account}:{user}"
        role.add_to_policy(aws_iam.PolicyStatement(actions=["rds-db:connect"], resources=[arn]))
