"""What happens to data when its stack is deleted."""

from aws_cdk import RemovalPolicy


def removal_policy(*, retain: bool) -> RemovalPolicy:
    """Return the removal policy of the bucket and the logs."""
    return RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY
