"""What a setting's value may be: types, each with the rule that it obeys and a phrase for it.

pydantic checks the plain type; the rule checks the rest, and says it in the reader's words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from list_cognito_users.rate import MAX_RATE

# What CloudWatch Logs keeps logs for, in days: AWS::Logs::LogGroup, RetentionInDays.
KEPT_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must obey; `phrase` follows "must be"."""

    phrase: str
    allows: Callable[[Any], bool]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let pydantic ask after it has checked the type."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: Any) -> Any:
        if not self.allows(value):
            raise PydanticCustomError("rule", "must be {phrase}", {"phrase": self.phrase})
        return value


def form(pattern: str, phrase: str) -> Rule:
    """Return the rule that a pattern matches the whole string."""
    return Rule(phrase, lambda value: re.fullmatch(pattern, value) is not None)


def limits(least: int, most: int) -> Rule:
    """Return the rule that a whole number lies between these two, or is one of them."""
    return Rule(f"a whole number from {least} to {most}", lambda value: least <= value <= most)


def tags_are_allowed(tags: dict[str, str]) -> bool:
    """Return whether AWS takes these tags: their lengths, and no name that is AWS's own."""
    return all(
        re.fullmatch(r"(?!aws:)[\w .:/=+@-]{1,128}", name)
        and re.fullmatch(r"[\w .:/=+@-]{0,256}", value)
        for name, value in tags.items()
    )


SecretArn = Annotated[
    str,
    form(
        r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[^*?:]+-\w{6}",
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
AccountId = Annotated[str, form(r"\d{12}", "twelve digits in quotes")]
Region = Annotated[str, form(r"[a-z]{2}(-[a-z]+)+-\d", "a Region, like eu-central-1")]
VpcId = Annotated[str, form(r"vpc-[0-9a-z]{8,17}", "a VPC's ID, like vpc-0a1b2c3d4e5f60718")]
SubnetId = Annotated[
    str, form(r"subnet-[0-9a-z]{8,17}", "a subnet's ID, like subnet-0a1b2c3d4e5f60718")
]
ZoneName = Annotated[str, form(r".+", "an availability zone's name, like eu-central-1a")]
SecurityGroupId = Annotated[
    str, form(r"sg-[0-9a-z]{8,17}", "a security group's ID, like sg-0a1b2c3d4e5f60718")
]
RouteTableId = Annotated[
    str, form(r"rtb-[0-9a-z]{8,17}", "a route table's ID, like rtb-0a1b2c3d4e5f60718")
]
UserPoolId = Annotated[str, form(r"[\w-]+_\w+", "a user pool's ID, like eu-central-1_AbCdEfGhI")]
TableName = Annotated[str, form(r"[^.]+\.[^.]+", "a table with its schema, like public.users")]
ColumnPath = Annotated[
    str, form(r"[^.]+\.[^.]+\.[^.]+", "schema, table and column, like public.users.cognito_sub")
]
ColumnName = Annotated[str, form(r"[^.]+", "a column's name, without its table")]
ScheduleExpression = Annotated[
    str,
    form(
        r"rate\(\d+ (minute|hour|day)s?\)|cron\((\S+ ){5}\S+\)"
        r"|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)",
        "rate(…), cron(…) with six fields, or at(…), like cron(0 3 * * ? *)",
    ),
]
TimeZoneName = Annotated[str, form(r".+", "a time zone, like UTC or Europe/Berlin")]
Email = Annotated[str, form(r"[^@\s]+@[^@\s]+\.[^@\s]+", "one e-mail address")]
FilePath = Annotated[str, form(r".+", "a path")]
RequestRate = Annotated[
    float,
    Rule(f"a number above 0 and up to {MAX_RATE:g}", lambda value: 0 < value <= MAX_RATE),
]
MemorySize = Annotated[int, limits(128, 10240)]
# Below a minute there is no time left: up to 30 s of it are kept back to end in order.
TimeoutSeconds = Annotated[int, limits(60, 900)]
LogRetention = Annotated[
    int, Rule(f"one of {', '.join(map(str, KEPT_DAYS))}", lambda days: days in KEPT_DAYS)
]
# Amazon EventBridge Scheduler API reference: FlexibleTimeWindow, RetryPolicy.
WindowMinutes = Annotated[int, limits(1, 1440)]
RetryAttempts = Annotated[int, limits(0, 185)]
Tags = Annotated[
    dict[str, str],
    Rule("names and values that AWS takes as tags, none beginning with aws:", tags_are_allowed),
]
