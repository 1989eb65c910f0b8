"""What an ARN says, and what follows from its partition.

Partitions, their Regions and names: AWS General Reference and
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
"""

from dataclasses import dataclass

PARTITION, REGION, ACCOUNT = 1, 3, 4  # arn:partition:service:region:account:resource


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of AWS with its own Regions, accounts and DNS names."""

    region_prefix: str
    dns_suffix: str
    console: str


PARTITIONS = {
    "aws-cn": Partition("cn-", "amazonaws.com.cn", "console.amazonaws.cn"),
    "aws-us-gov": Partition("us-gov-", "amazonaws.com", "console.amazonaws-us-gov.com"),
    "aws": Partition("", "amazonaws.com", "console.aws.amazon.com"),
}


def region_of(arn: str) -> str:
    """Return the Region in an ARN."""
    return arn.split(":")[REGION]


def partition_of(arn: str) -> str:
    """Return the name of the partition in an ARN."""
    return arn.split(":")[PARTITION]


def account_of(arn: str) -> str:
    """Return the account in an ARN."""
    return arn.split(":")[ACCOUNT]


def partition_of_region(region: str) -> str:
    """Return the name of a Region's partition."""
    return next(name for name, each in PARTITIONS.items() if region.startswith(each.region_prefix))


def service_of(service: str, region: str, partition: str) -> str:
    """Return a service's DNS name in a Region of a partition.

    It is the value of `kms:ViaService` (AWS KMS developer guide, "Condition keys").
    """
    return f"{service}.{region}.{PARTITIONS[partition].dns_suffix}"


def console_of_file(region: str, partition: str, bucket: str, key: str) -> str:
    """Return the address of an object in the console of S3."""
    console = PARTITIONS[partition].console
    return f"https://{region}.{console}/s3/object/{bucket}?region={region}&prefix={key}"


def console_of_executions(region: str, partition: str) -> str:
    """Return the beginning of an execution's address in the console; its ARN follows."""
    console = PARTITIONS[partition].console
    return f"https://{region}.{console}/states/home?region={region}#/v2/executions/details/"
