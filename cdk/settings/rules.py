"""The rules between settings that are each well formed."""

import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from cdk.settings.arns import PARTITIONS, partition_of, region_of
from cdk.settings.column_rules import SIDES, column_contradictions
from cdk.settings.database import database_contradictions
from cdk.settings.model import Settings
from common.errors import InvalidInput
from common.event import parse_execution_input

NETWORK = ("vpc_id", "subnet_ids", "availability_zones", "security_group_ids")
NEEDED_BY_LOOKUP = ("vpc_id", "security_group_ids", "account", "region")
FOUND_BY_LOOKUP = ("subnet_ids", "availability_zones", "route_table_ids")
ARNS = (
    "prod_secret_arn",
    "staging_secret_arn",
    "mask_key_secret_arn",
    "secrets_kms_key_arns",
    "alarm_topic_arn",
    "chat_topic_arn",
    "kms_key_arn",
    "permissions_boundary_arn",
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def contradictions(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong, which begins with a field."""
    yield from _databases(settings)
    yield from _partitions(settings)
    yield from _network(settings)
    yield from _regions(settings)
    yield from _files(settings)
    yield from _schedule(settings)
    yield from _alarms(settings)
    yield from column_contradictions(settings)
    if settings.sub_column == settings.email_column:
        yield "sub_column is the email_column too: the remap would overwrite the emails."


def _databases(settings: Settings) -> Iterator[str]:
    """Check where the databases are, and how the Lambdas log in."""
    for side in SIDES:
        yield from database_contradictions(
            side,
            settings.database_of(side),
            has_secret=settings.secret_arn_of(side) is not None,
            account=settings.account,
            has_ca_bundle=settings.ca_bundle is not None,
        )
    prod, staging = (settings.database_of(side) for side in SIDES)
    if settings.prod_secret_arn and settings.prod_secret_arn == settings.staging_secret_arn:
        yield "staging_secret_arn is production's secret too: staging needs one of its own."
    if prod.host and (prod.host, prod.dbname) == (staging.host, staging.dbname):
        yield "staging_database is production's database too: the same host, the same dbname."


def _alarms(settings: Settings) -> Iterator[str]:
    """Check who is notified, and after how many hours without a start."""
    if settings.alarm_email and settings.alarm_topic_arn:
        yield (
            "alarm_email and alarm_topic_arn are both set: set one, and subscribe the address to"
            " the topic if both are wanted."
        )
    hours, gap = settings.alarm_no_start_hours, settings.longest_schedule_gap
    if settings.chat_topic_arn and settings.chat_topic_arn == settings.alarm_topic_arn:
        yield (
            "chat_topic_arn is alarm_topic_arn too: the two get messages of different forms, and"
            " the chat shows only its own."
        )
    if hours and not settings.reports_failures:
        yield (
            "alarm_no_start_hours is set, but nobody would be notified: set alarm_email,"
            " alarm_topic_arn or chat_topic_arn."
        )
    if hours and gap and hours < gap:
        yield (
            f"alarm_no_start_hours is {hours}, but {settings.schedule_expression} may start nothing"
            f" for {gap} hours, late starts included."
        )


def _partitions(settings: Settings) -> Iterator[str]:
    """Check that all ARNs are in the stack's partition, and that this is supported."""
    for place, arn in _arns(settings):
        partition = partition_of(arn)
        if partition not in PARTITIONS:
            yield (
                f"{place} is in the partition {partition}; supported are"
                f" {', '.join(sorted(PARTITIONS))}."
            )
        elif partition != settings.partition and settings.partition in PARTITIONS:
            yield (
                f"{place} is in the partition {partition}, and the stack in"
                f" {settings.partition}: nothing of one reaches the other."
            )


def _arns(settings: Settings) -> Iterator[tuple[str, str]]:
    """Return each ARN with the field that contains it."""
    for name in ARNS:
        value = getattr(settings, name)
        if isinstance(value, str):
            yield name, value
        else:
            yield from ((f"{name}[{index}]", arn) for index, arn in enumerate(value or ()))


def _network(settings: Settings) -> Iterator[str]:
    if settings.vpc_lookup:
        yield from _lookup(settings)
        return
    unset = [name for name in NETWORK if not getattr(settings, name)]
    if len(unset) == len(NETWORK):
        yield from _needs_vpc(settings)
    else:
        for name in unset:
            yield (
                f"{name} is missing: {', '.join(NETWORK)} are set together or not at all, or"
                " vpc_lookup finds the subnets and zones."
            )
    yield from _zones(settings)
    if settings.vpc_endpoints and settings.vpc_id and not settings.route_table_ids:
        yield "route_table_ids is missing: the S3 endpoint of vpc_endpoints needs routes in them."
    if settings.route_table_ids and not settings.vpc_endpoints:
        yield "route_table_ids is set without vpc_endpoints, and nothing else uses it."


def _zones(settings: Settings) -> Iterator[str]:
    zones, subnets = settings.availability_zones, settings.subnet_ids
    if zones and subnets and len(zones) != len(subnets):
        yield "availability_zones must name one zone for each of subnet_ids, in the same order."
    for index, zone in enumerate(zones):
        if settings.region and not zone.startswith(settings.region):
            yield (
                f"availability_zones[{index}] is in another Region than the stack's"
                f" {settings.region}."
            )


def _lookup(settings: Settings) -> Iterator[str]:
    """Check that vpc_lookup has what it needs, and nothing is set that it finds itself."""
    for name in NEEDED_BY_LOOKUP:
        if not getattr(settings, name):
            yield f"{name} is missing: vpc_lookup needs {', '.join(NEEDED_BY_LOOKUP)}."
    for name in FOUND_BY_LOOKUP:
        if getattr(settings, name):
            yield f"{name} is set beside vpc_lookup, which finds it: remove one of them."


def _needs_vpc(settings: Settings) -> Iterator[str]:
    for name in ("has_nat", "vpc_endpoints"):
        if getattr(settings, name):
            yield f"{name} is set without vpc_id: it is about a VPC."


def _regions(settings: Settings) -> Iterator[str]:
    """Check that each ARN is in a Region where it works."""
    pool_region = (settings.user_pool_id or "").rpartition("_")[0]
    if settings.region and pool_region not in {"", settings.region}:
        yield f"user_pool_id is in {pool_region}; ListCognitoUsers runs in {settings.region}."
    for name in ("kms_key_arn", "alarm_topic_arn", "chat_topic_arn"):
        arn = getattr(settings, name)
        if settings.region and arn and region_of(arn) != settings.region:
            yield f"{name} is in {region_of(arn)}; it must be in the stack's {settings.region}."
    regions = {region_of(arn) for arn in settings.all_secret_arns}
    for index, arn in enumerate(settings.secrets_kms_key_arns):
        if region_of(arn) not in regions:
            yield (
                f"secrets_kms_key_arns[{index}] is in {region_of(arn)}, where none of the secrets"
                " is: a secret's key must be in its Region."
            )
    yield from _far_secrets(settings)


def _far_secrets(settings: Settings) -> Iterator[str]:
    """Check that an endpoint in the VPC reaches the secrets."""
    if settings.vpc_id is None or settings.has_nat or not settings.all_secret_arns:
        return
    # If the settings do not name the stack's Region, staging's secret does.
    here = settings.region or region_of((settings.secret_arns or settings.all_secret_arns)[-1])
    for name in ("prod_secret_arn", "staging_secret_arn", "mask_key_secret_arn"):
        arn = getattr(settings, name)
        if arn and (region := region_of(arn)) != here:
            yield (
                f"{name} is in {region}, which a VPC endpoint in {here} does not"
                f" reach: replicate the secret to {here} and name the replica, or set has_nat if"
                " the subnets have a NAT."
            )


def _files(settings: Settings) -> Iterator[str]:
    if settings.layer_dir and not Path(settings.layer_dir, "python").is_dir():
        yield "layer_dir must be a directory that contains python/, like build/layer."
    if settings.ca_bundle and not _has_certificates(Path(settings.ca_bundle)):
        yield (
            "ca_bundle must be a PEM file of certificates; `make ca-bundle` fetches Amazon's to"
            " build/ca-bundle.pem."
        )


def _has_certificates(path: Path) -> bool:
    try:
        return CERTIFICATE in path.read_text()
    except (OSError, UnicodeDecodeError):
        return False


def _schedule(settings: Settings) -> Iterator[str]:
    """Check what would make every scheduled execution fail."""
    zones = zoneinfo.available_timezones()  # empty where the machine has no time zone data
    if zones and settings.schedule_timezone not in zones:
        yield "schedule_timezone is not a time zone, like UTC or Europe/Berlin."
    try:
        scheduled = parse_execution_input(settings.schedule_input)
    except InvalidInput as error:
        yield f"schedule_input is not an execution's input: {error}"
        return
    needs_pool = scheduled.sync_cognito or scheduled.cognito_only
    if settings.schedule_expression and needs_pool and not settings.user_pool_id:
        yield (
            "schedule_input asks for Cognito, but user_pool_id is not set: set it, or set"
            " schedule_input to {}."
        )
