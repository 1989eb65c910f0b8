"""Log groups whose retention and removal the settings say."""

from typing import cast

from aws_cdk import aws_kms, aws_logs
from constructs import Construct

from cdk.removal import removal_policy
from cdk.settings.model import Settings


def create_log_group(
    scope: Construct, *, settings: Settings, key: aws_kms.IKey | None, name: str | None = None
) -> aws_logs.LogGroup:
    """Create a construct's log group, with the id "Logs".

    Args:
        scope: the construct.
        settings: how long logs are kept, and whether they are kept when the stack is deleted.
        key: a customer managed key; its policy must allow CloudWatch Logs to use it.
        name: the log group's name; by default CloudFormation generates one.
    """
    group = aws_logs.LogGroup(
        scope,
        "Logs",
        log_group_name=name,
        encryption_key=key,
        removal_policy=removal_policy(retain=settings.retain_data),
    )
    # The construct takes members of an enumeration, and the settings are numbers of days.
    resource = cast(aws_logs.CfnLogGroup, group.node.default_child)
    resource.retention_in_days = settings.log_retention_days
    return group
