"""Log groups as all of ours are: they end, and stay or go as the settings say."""

from typing import cast

from aws_cdk import aws_kms, aws_logs
from constructs import Construct

from cdk.removal import removal_policy
from cdk.settings.model import Settings


def create_log_group(
    scope: Construct, *, settings: Settings, key: aws_kms.IKey | None, name: str | None = None
) -> aws_logs.LogGroup:
    """Create a construct's log group, called "Logs" in it.

    Args:
        scope: the construct.
        settings: how long logs are kept, and whether they outlive the stack.
        key: a customer key; its policy must let CloudWatch Logs use it.
        name: the log group's name; by default CloudFormation makes one up.
    """
    group = aws_logs.LogGroup(
        scope,
        "Logs",
        log_group_name=name,
        encryption_key=key,
        removal_policy=removal_policy(retain=settings.retain_data),
    )
    # The construct takes an enumeration's names; the settings hold its numbers.
    resource = cast(aws_logs.CfnLogGroup, group.node.default_child)
    resource.retention_in_days = settings.log_retention_days
    return group
