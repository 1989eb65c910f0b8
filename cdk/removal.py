"""What happens to data when its stack goes."""

from aws_cdk import RemovalPolicy


def removal_policy(*, retain: bool) -> RemovalPolicy:
    """Return the policy for the bucket and the logs."""
    return RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY
