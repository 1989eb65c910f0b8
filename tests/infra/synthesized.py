"""A synthesized stack, whose resources are found by type or path, not by a generated name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aws_cdk import App

from cdk.app import add_stack

ROOT = Path(__file__).parents[2]
SECRETS = {
    "prod_secret_arn": "arn:aws:secretsmanager:eu-west-1:444455556666:secret:shop/prod-AbCdEf",
    "staging_secret_arn": (
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/staging-GhIjKl"
    ),
}
MASK_KEY_SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/mask-key-MnOpQr"
EXAMPLE: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())

STAGING_KEY = "arn:aws:kms:eu-central-1:111122223333:key/staging"
CUSTOMER_KEY = "arn:aws:kms:eu-central-1:111122223333:key/customer"
PRODUCTION_KEY = "arn:aws:kms:eu-central-1:444455556666:key/production"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"
CHAT_TOPIC = "arn:aws:sns:eu-central-1:111122223333:chat"
BOUNDARY = "arn:aws:iam::111122223333:policy/edge"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nnobody's\n-----END CERTIFICATE-----\n"

STAGING_BY_IAM: dict[str, Any] = {
    "auth": "iam",
    "host": "staging.cluster-c0ffee.eu-central-1.rds.amazonaws.com",
    "dbname": "shop_staging",
    "username": "staging_sync_writer",
    "resource_id": "cluster-ABCDEFGHIJKL",
    "account": "111122223333",
}
PRODUCTION_BY_IAM: dict[str, Any] = {
    "auth": "iam",
    "host": "prod.c0ffee.eu-west-1.rds.amazonaws.com",
    "port": 5433,
    "dbname": "shop",
    "username": "staging_sync_reader",
    "resource_id": "db-MNOPQRSTUVWX",
    "account": "444455556666",
    "role_arn": "arn:aws:iam::444455556666:role/staging-sync-reads",
}

NOTHING: Mapping[str, Any] = MappingProxyType({})

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Synthesized:
    """A template and the assembly that contains it."""

    template: Json
    assembly: Path

    def resources(self, kind: str) -> list[Json]:
        """Return the properties of every resource of a type, like AWS::S3::Bucket."""
        return [
            resource["Properties"]
            for resource in self.template["Resources"].values()
            if resource["Type"] == kind
        ]

    def only(self, kind: str) -> Json:
        """Return the properties of the one resource of a type."""
        (resource,) = self.resources(kind)
        return resource

    def function(self, package: str) -> Json:
        """Return the properties of the Lambda that runs a package."""
        (function,) = (
            function
            for function in self.resources("AWS::Lambda::Function")
            if function["Handler"] == f"{package}.handler.handler"
        )
        return function

    def variables(self, package: str) -> Json:
        """Return a Lambda's environment variables."""
        variables: Json = self.function(package)["Environment"]["Variables"]
        return variables

    def definition(self) -> Json:
        """Return the state machine's definition as it is deployed, placeholders and all."""
        key = self.only("AWS::StepFunctions::StateMachine")["DefinitionS3Location"]["Key"]
        definition: Json = json.loads((self.assembly / f"asset.{key}").read_text())
        return definition

    def asset(self, key: str) -> Path:
        """Return the directory that is zipped and uploaded under a key."""
        return self.assembly / f"asset.{key.removesuffix('.zip')}"

    def text(self, value: Any) -> str:
        """Return a value as text: `<construct path.attribute>` for what deployment fills in."""
        match value:
            case str():
                return value
            case {"Ref": name}:
                return f"<{self._path(name)}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{self._path(name)}.{attribute}>"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.text(part) for part in parts)
        raise AssertionError(f"not a text: {value}")

    def _path(self, name: str) -> str:
        resource = self.template["Resources"].get(name)
        if resource is None:
            return name  # a pseudo parameter, like AWS::Partition
        path: str = resource["Metadata"]["aws:cdk:path"]
        return path.split("/", 1)[1].removeprefix("Default/").removesuffix("/Resource")

    def paths(self, kind: str) -> dict[str, Json]:
        """Return the properties of every resource of a type, by its path in the stack."""
        return {
            self._path(name): resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }


def every_setting(directory: Path, layer: Path) -> Json:
    """Return settings of which each is set, and differs from its default.

    Production's secret is a replica in the stack's Region, since the VPC has no NAT. Three settings
    are missing that contradict others: vpc_lookup, has_nat, alarm_email.
    """
    bundle = directory / "ca.pem"
    bundle.write_text(CERTIFICATE)
    return {
        "prod_secret_arn": SECRETS["prod_secret_arn"].replace("eu-west-1", "eu-central-1"),
        "staging_secret_arn": SECRETS["staging_secret_arn"],
        "prod_database": {"host": "prod.example.com", "port": 5433, "dbname": "shop"},
        "staging_database": {"dbname": "shop_staging"},
        "secrets_kms_key_arns": [PRODUCTION_KEY, STAGING_KEY],
        "account": "111122223333",
        "region": "eu-central-1",
        "vpc_id": "vpc-11112222333344445",
        "subnet_ids": ["subnet-11112222333344445", "subnet-55556666777788889"],
        "availability_zones": ["eu-central-1a", "eu-central-1b"],
        "security_group_ids": ["sg-11112222333344445"],
        "vpc_endpoints": True,
        "route_table_ids": ["rtb-11112222333344445"],
        "ca_bundle": str(bundle),
        "user_pool_id": "eu-central-1_Shop",
        "users_table": "auth.people",
        "email_column": "mail",
        "sub_column": "sub",
        "require_verified_email": True,
        "release_mismatched": False,
        "min_matched_percent": 12.5,
        "users_where": "deleted_at IS NULL",
        "list_users_rps": 27.5,
        "sync_rules": {
            "exclude": ["public.audit_log"],
            "include": ["public.schema_migrations"],
            "keep": ["public.shops.theme", "auth.people.sub"],  # the sub column is one anyway
            "follow": {
                "public.audit.*_by_sub": "auth.people.sub",
                "public.teams.settings": {"column": "auth.people.sub", "paths": ["$.members[*]"]},
            },
            "mask": {"auth.people.mail": {"with": "email", "keep_domains": ["example.com"]}},
            "reviewed": ["public.shops.name"],
            "unreviewed": "fail",
            "event_triggers_ok": True,
            "parallel_query": False,
        },
        "mask_key_secret_arn": MASK_KEY_SECRET,
        "schedule_expression": "cron(0 3 * * ? *)",
        "schedule_timezone": "Europe/Berlin",
        "schedule_input": {"dry_run": True},
        "schedule_window_minutes": 15,
        "schedule_retry_attempts": 3,
        "schedule_retry_minutes": 20,
        "schedule_dead_letter_queue": False,
        "memory_mb": 1769,
        "ephemeral_storage_mb": 2048,
        "timeout_seconds": 600,
        "in_parts": "when_needed",
        "parts_concurrency": 24,
        "log_retention_days": 30,
        "alarm_topic_arn": TOPIC,
        "chat_topic_arn": CHAT_TOPIC,
        "alarm_no_start_hours": 50,
        "kms_key_arn": CUSTOMER_KEY,
        "tags": {"team": "platform", "cost-center": "4711"},
        "permissions_boundary_arn": BOUNDARY,
        "retain_data": False,
        "termination_protection": True,
        "layer_dir": str(layer),
    }


def settings_by_iam(directory: Path) -> Json:
    """Return settings without a secret: the Lambdas log in by IAM, to production by a role."""
    bundle = directory / "ca.pem"
    bundle.write_text(CERTIFICATE)
    return {
        "account": "111122223333",
        "region": "eu-central-1",
        "ca_bundle": str(bundle),
        "prod_database": PRODUCTION_BY_IAM,
        "staging_database": STAGING_BY_IAM,
    }


def synthesize(
    assembly: Path, settings: Mapping[str, Any], looked_up: Mapping[str, Any] = NOTHING
) -> Synthesized:
    """Synthesize the stack of an environment "staging" with these settings.

    Args:
        assembly: where to; a directory that does not exist yet.
        settings: the environment's block.
        looked_up: what the CDK CLI has looked up in the account, as cdk.context.json has it.

    Raises:
        SettingsError: a setting is wrong.
        RuntimeError: cdk-nag or CDK's own validation found something.
    """
    app = App(
        outdir=str(assembly),
        context={
            **looked_up,
            "environments": {"staging": settings},
            "aws:cdk:enable-path-metadata": True,
            "@aws-cdk/core:validationReportPrettyPrint": False,
        },
    )
    stack = add_stack(app)
    app.synth()
    template = json.loads((assembly / stack.template_file).read_text())
    return Synthesized(template, assembly)
