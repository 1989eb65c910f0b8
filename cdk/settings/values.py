"""The types of settings: each a plain type, a rule, and a phrase for the rule.

pydantic checks the plain type, and the rule checks the rest; messages use its phrase.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cdk.settings.schedule_expression import fault_of
from common.errors import ConfigurationError
from common.follow.rules import FollowRules
from common.postgres.names import split_name
from common.settings import MOST_PERCENT
from db_sync.environment import MOST_PARTS_AT_ONCE
from db_sync.mask.rules import MaskRules
from db_sync.rules import SyncRules
from list_cognito_users.rate import MAX_RATE

# How long CloudWatch Logs can keep logs, in days: AWS::Logs::LogGroup, RetentionInDays.
KEPT_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557)
MOST_TAGS = 50  # of a resource


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for a value; its message is "must be", `phrase`, and what `explain` returns."""

    phrase: str
    allows: Callable[[Any], bool]
    explain: Callable[[Any], str | None] | None = None  # what is wrong with a refused value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Have pydantic check the rule after the type."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: Any) -> Any:
        if not self.allows(value):
            why = f": {self.explain(value)}" if self.explain else ""
            raise PydanticCustomError("rule", "must be {what}", {"what": f"{self.phrase}{why}"})
        return value


def form(pattern: str, phrase: str) -> Rule:
    """Return the rule that a pattern matches all of a string."""
    return Rule(phrase, lambda value: re.fullmatch(pattern, value, re.ASCII) is not None)


def parts(count: int, phrase: str) -> Rule:
    """Return the rule that a dotted name has so many parts; one with a dot in it is quoted."""
    return Rule(phrase, lambda value: len(split_name(value)) == count)


def is_rule(rule: str, entry: Any) -> bool:
    """Return whether the sync takes this entry of one of its rules."""
    try:
        SyncRules.parse(json.dumps({rule: [entry]}))
    except ConfigurationError:
        return False
    return True


def fault_of_masks(masks: dict[str, Any]) -> str | None:
    """Return what is wrong with the rules of "mask", each of them; None if nothing is."""
    return _faults(masks, lambda one: MaskRules.parse({"mask": one}))


def fault_of_followers(followers: dict[str, Any]) -> str | None:
    """Return what is wrong with the rules of "follow", each of them; None if nothing is."""
    return _faults(followers, FollowRules.parse)


def limits(least: int, most: int) -> Rule:
    """Return the rule that a whole number is at least the one and at most the other."""
    return Rule(f"a whole number from {least} to {most}", lambda value: least <= value <= most)


def _faults(rules: dict[str, Any], parse: Callable[[dict[str, Any]], object]) -> str | None:
    """Return what is wrong with the rules about columns, each by itself."""
    faults: dict[str, None] = {}
    for column, rule in rules.items():
        try:
            parse({column: rule})
        except ConfigurationError as error:
            faults[error.message] = None
    return " ".join(faults).rstrip(".") or None


def tags_are_allowed(tags: dict[str, str]) -> bool:
    """Return whether AWS accepts these tags: number, lengths, characters, no name of AWS's own.

    Names that differ only in case are the same name on a role (IAM user guide, "Tags for
    IAM resources").
    """
    return (
        len(tags) <= MOST_TAGS
        and len({name.casefold() for name in tags}) == len(tags)
        and all(
            re.fullmatch(r"(?!(?i:aws:))[\w .:/=+@-]{1,128}", name)
            and re.fullmatch(r"[\w .:/=+@-]{0,256}", value)
            for name, value in tags.items()
        )
    )


REGION = r"[a-z]{2}(-[a-z]+)+-\d"
ID = r"([0-9a-f]{8}|[0-9a-f]{17})"  # what follows a resource's kind in EC2
# A DNS name. Its last label is not a number, as that of an IP address is.
DOMAIN = r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])"

SecretArn = Annotated[
    str,
    form(
        r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@!-]+-\w{6}",
        "the complete ARN of a secret, with the six characters that end it",
    ),
]
KeyArn = Annotated[
    str,
    # Not an alias: an IAM policy that names one grants nothing.
    form(
        r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+",
        "the ARN of a KMS key (key/…, not alias/…)",
    ),
]
TopicArn = Annotated[
    str, form(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+", "the ARN of a standard SNS topic")
]
PolicyArn = Annotated[
    str, form(r"arn:[\w-]+:iam::(\d{12}|aws):policy/[\w+=,.@/-]+", "the ARN of an IAM policy")
]
RoleArn = Annotated[
    str, form(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+", "the ARN of an IAM role")
]
AccountId = Annotated[str, form(r"\d{12}", "twelve digits in quotes")]
Region = Annotated[str, form(REGION, "a Region, like eu-central-1")]
VpcId = Annotated[str, form(rf"vpc-{ID}", "a VPC's ID, like vpc-0a1b2c3d4e5f60718")]
SubnetId = Annotated[str, form(rf"subnet-{ID}", "a subnet's ID, like subnet-0a1b2c3d4e5f60718")]
# A Local Zone's name is longer: us-west-2-lax-1a.
ZoneName = Annotated[
    str, form(rf"{REGION}(-[a-z]+-\d)?[a-z]", "an availability zone's name, like eu-central-1a")
]
SecurityGroupId = Annotated[
    str, form(rf"sg-{ID}", "a security group's ID, like sg-0a1b2c3d4e5f60718")
]
RouteTableId = Annotated[str, form(rf"rtb-{ID}", "a route table's ID, like rtb-0a1b2c3d4e5f60718")]
UserPoolId = Annotated[
    str, form(rf"{REGION}_[0-9a-zA-Z]+", "a user pool's ID, like eu-central-1_AbCdEfGhI")
]
TableName = Annotated[str, parts(2, "a table with its schema, like public.users")]
KeptColumn = Annotated[
    Any,
    Rule(
        "schema, table and column, like public.shops.theme, or"
        ' {"column": "public.users.cognito_sub", "while_same": ["email"]}',
        allows=lambda value: is_rule("keep", value),
    ),
]
MaskedColumns = Annotated[
    dict[str, Any],
    Rule(
        "columns with their masks, like"
        ' {"public.users.email": "email", "*.born": {"with": "date", "within_days": 30}}',
        allows=lambda value: fault_of_masks(value) is None,
        explain=fault_of_masks,
    ),
]
FollowingColumns = Annotated[
    dict[str, Any],
    Rule(
        "columns with the sub column that they follow, like"
        ' {"public.wishlists.owner_sub": "public.users.cognito_sub"}',
        allows=lambda value: fault_of_followers(value) is None,
        explain=fault_of_followers,
    ),
]
ReviewedColumn = Annotated[
    str,
    Rule(
        "a column, like public.users.created_at or *.created_at",
        allows=lambda value: is_rule("reviewed", value),
    ),
]
ColumnName = Annotated[str, form(r"[^.]+", "a column's name, without its table")]
# A semicolon ends an expression. The rest is checked by the target's server.
Condition = Annotated[
    str, form(r"[^;]*[^;\s][^;]*", "a boolean expression of SQL without a semicolon")
]
Percent = Annotated[
    float,
    Rule("a number from 0 to 100", allows=lambda value: 0 <= value <= MOST_PERCENT),
]
ScheduleExpression = Annotated[
    str,
    Rule(
        "rate(…), cron(…) with six fields, or at(…), like cron(0 3 * * ? *)",
        allows=lambda value: fault_of(value) is None,
        explain=fault_of,
    ),
]
TimeZoneName = Annotated[str, form(r".+", "a time zone, like UTC or Europe/Berlin")]
Email = Annotated[
    str, form(rf"[^@\s,;<>]+@{DOMAIN}", "one e-mail address, like on-call@example.com")
]
FilePath = Annotated[str, form(r".+", "a path")]
RequestRate = Annotated[
    float,
    Rule(f"a number above 0 and up to {MAX_RATE:g}", lambda value: 0 < value <= MAX_RATE),
]
# What the Lambdas accept of a secret (functions/common/postgres/connection/address.py).
Host = Annotated[
    str, form(r"[\w.:-]+|/[^@=?\s]*", "a server's name, without a port, or a socket's directory")
]
DatabaseName = Annotated[
    str, form(r"(?!.*://)[^=@\0]+", "a database's name, and no URL or connection string")
]
DatabaseUser = Annotated[str, form(r"[\w$.+-]{1,63}", "a role's name in the database")]
Port = Annotated[int, limits(1, 65535)]
ResourceId = Annotated[
    str, form(r"(db|cluster|prx)-[A-Za-z0-9]+", "a resource ID: db-…, cluster-… or prx-…")
]
MemorySize = Annotated[int, limits(128, 10240)]
EphemeralStorage = Annotated[int, limits(512, 10240)]
# Up to 30 s of it are reserved for an orderly end, so that less than a minute is too little.
TimeoutSeconds = Annotated[int, limits(60, 900)]
PartsConcurrency = Annotated[int, limits(1, MOST_PARTS_AT_ONCE)]
LogRetention = Annotated[
    int, Rule(f"one of {', '.join(map(str, KEPT_DAYS))}", lambda days: days in KEPT_DAYS)
]
# Amazon EventBridge Scheduler API reference: FlexibleTimeWindow, RetryPolicy.
WindowMinutes = Annotated[int, limits(1, 1440)]
RetryAttempts = Annotated[int, limits(0, 185)]
# An alarm evaluates seven days at most (CloudWatch user guide, "Evaluating an alarm").
MOST_ALARM_HOURS = 7 * 24
AlarmHours = Annotated[int, limits(1, MOST_ALARM_HOURS)]
Tags = Annotated[
    dict[str, str],
    Rule(
        f"names and values that AWS takes as tags, up to {MOST_TAGS}, none beginning with aws:",
        tags_are_allowed,
    ),
]
