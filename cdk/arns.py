"""What an ARN says."""

REGION = 3  # arn:partition:service:region:account:resource


def region_of(arn: str) -> str:
    """Return the Region in an ARN."""
    return arn.split(":")[REGION]
