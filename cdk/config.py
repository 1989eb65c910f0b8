"""The app's settings: one typed block per environment in the context of cdk.json.

To add a setting, add a field to `Settings`: its annotation is what the reader checks, its
default makes it optional. A rule between fields goes into `_contradictions`.
"""

import dataclasses
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from common.errors import InvalidInput
from common.event import parse_execution_input
from list_cognito_users.rate import DEFAULT_RATE, MAX_RATE


class SettingsError(Exception):
    """A setting is unknown, missing, of the wrong type or impossible; the message names it."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form that a string must have: a pattern for us, and a phrase for the reader."""

    pattern: str
    phrase: str

    def allows(self, value: str) -> bool:
        """Return whether the whole string matches."""
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a number must lie above, and what it may at most be."""

    above: float
    most: float

    @property
    def phrase(self) -> str:
        """What the number must be, for the reader."""
        return f"a number above {self.above:g} and up to {self.most:g}"

    def allows(self, value: float) -> bool:
        """Return whether it lies there; what is not a number does not."""
        return self.above < value <= self.most


SecretArn = Annotated[
    str,
    Form(
        r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[^*?]+-\w{6}",
        "the complete ARN of a secret, with the six characters that end it",
    ),
]
UserPoolId = Annotated[str, Form(r"[\w-]+_\w+", "a user pool's ID, like eu-central-1_AbCdEfGhI")]
AccountId = Annotated[str, Form(r"\d{12}", "twelve digits in quotes")]
TableName = Annotated[str, Form(r"[^.]+\.[^.]+", "a table with its schema, like public.users")]
ColumnPath = Annotated[
    str, Form(r"[^.]+\.[^.]+\.[^.]+", "schema, table and column, like public.users.cognito_sub")
]
ColumnName = Annotated[str, Form(r"[^.]+", "a column's name, without its table")]
Name = Annotated[str, Form(r".+", "a name")]
RequestRate = Annotated[float, Limits(0, MAX_RATE)]
ScheduleExpression = Annotated[
    str, Form(r"(rate|cron|at)\(.+\)", "rate(…), cron(…) or at(…), like cron(0 3 * * ? *)")
]
# What a value of each plain type may be in JSON, and how the type is called.
PLAIN: Mapping[Any, tuple[Any, str]] = {
    str: (str, "a string"),
    bool: (bool, "true or false"),
    float: ((int, float), "a number"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRules:
    """Which tables the sync leaves alone, and which columns belong to the target."""

    exclude: tuple[TableName, ...] = ()
    keep: tuple[ColumnPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One environment's settings."""

    prod_secret_arn: SecretArn
    staging_secret_arn: SecretArn
    # Both optional: without them the stack goes where the deploying credentials point.
    account: AccountId | None = None
    region: Name | None = None
    # The network of DbSync and UpdateDb: all four or none. One zone per subnet, in its order.
    vpc_id: Name | None = None
    subnet_ids: tuple[Name, ...] = ()
    availability_zones: tuple[Name, ...] = ()
    security_group_ids: tuple[Name, ...] = ()
    user_pool_id: UserPoolId | None = None
    users_table: TableName = "public.users"
    email_column: ColumnName = "email"
    sub_column: ColumnName = "cognito_sub"
    require_verified_email: bool = False
    # Requests a second of the 30 that the account and Region have for ListUsers.
    list_users_rps: RequestRate = float(DEFAULT_RATE)
    # No expression, no schedule.
    schedule_expression: ScheduleExpression | None = None
    schedule_timezone: Name = "UTC"
    schedule_input: Mapping[str, Any] = field(default_factory=lambda: {"sync_cognito": True})
    sync_rules: SyncRules = field(default_factory=SyncRules)
    # A layer that is built already, for another platform than Lambda's.
    layer_dir: Name | None = None
    # Whether bucket and logs outlive the stack.
    retain_data: bool = True

    @property
    def kept_columns(self) -> tuple[str, ...]:
        """The columns that belong to the target: the sub column too where a pool is configured.

        Otherwise each sync would undo the last remap and lock everybody out.
        """
        sub_columns = [f"{self.users_table}.{self.sub_column}"] if self.user_pool_id else []
        return tuple(dict.fromkeys([*self.sync_rules.keep, *sub_columns]))


def choose_environment(environments: object, wanted: object = None) -> tuple[str, Settings]:
    """Return the name and the settings of the environment to deploy.

    Args:
        environments: the context value "environments": blocks of settings by name.
        wanted: the context value "environment"; without it the only block is taken, or
            "staging".

    Raises:
        SettingsError: no such environment, or its block is wrong.
    """
    if not isinstance(environments, Mapping) or not environments:
        raise SettingsError(
            'environments: cdk.json\'s context must hold {"environments": {"staging": {…}}}.'
        )
    name = wanted or (next(iter(environments)) if len(environments) == 1 else "staging")
    if name not in environments:
        raise SettingsError(
            f'environment: "{name}" is not one of {", ".join(sorted(environments))};'
            " choose one with -c environment=NAME."
        )
    # The name becomes part of the stack's, which CloudFormation restricts.
    if not re.fullmatch(r"[A-Za-z0-9-]+", str(name)):
        raise SettingsError(f'environments.{name}: its name may hold only letters, digits and "-".')
    return str(name), parse_settings(environments[name], f"environments.{name}")


def parse_settings(block: object, path: str) -> Settings:
    """Return the checked settings of one block.

    Args:
        block: the block as JSON gives it.
        path: where it stands, for the messages.

    Raises:
        SettingsError: the first thing that is wrong, with the field's path.
    """
    settings: Settings = _read_object(Settings, block, path)
    for contradiction in _contradictions(settings):
        raise SettingsError(f"{path}.{contradiction}")
    return settings


def _read_object(cls: type[Any], value: object, path: str) -> Any:
    """Return an instance of a dataclass whose fields say what its block may hold."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{path} must be an object.")
    fields = {entry.name: entry for entry in dataclasses.fields(cls)}
    for name in value:
        if name not in fields:
            raise SettingsError(
                f"{path}.{name} is not a setting; known are {', '.join(sorted(fields))}."
            )
    for name, entry in fields.items():
        has_default = (
            entry.default is not dataclasses.MISSING
            or entry.default_factory is not dataclasses.MISSING
        )
        if name not in value and not has_default:
            raise SettingsError(f"{path}.{name} is missing and has no default.")
    hints = get_type_hints(cls, include_extras=True)
    return cls(**{name: _read(hints[name], part, f"{path}.{name}") for name, part in value.items()})


def _read(hint: Any, value: object, path: str) -> Any:
    """Return a value of the annotated type, or refuse."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return None if value is None else _read(get_args(hint)[0], value, path)
    if origin is Annotated:
        base, rule = get_args(hint)
        return _obey(rule, _read(base, value, path), path)
    if origin is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{path} must be a list.")
        return tuple(
            _read(get_args(hint)[0], part, f"{path}[{index}]") for index, part in enumerate(value)
        )
    if dataclasses.is_dataclass(hint):
        return _read_object(hint, value, path)  # type: ignore[arg-type]  # a class, not an instance
    expected, phrase = PLAIN.get(hint, (Mapping, "an object"))
    # A boolean is a number to isinstance.
    if not isinstance(value, expected) or (isinstance(value, bool) and hint is not bool):
        raise SettingsError(f"{path} must be {phrase}.")
    return value


def _obey(rule: Any, value: Any, path: str) -> Any:
    """Return a value that its form or limits allow, or refuse."""
    if not rule.allows(value):
        raise SettingsError(f"{path} must be {rule.phrase}.")
    return value


def _contradictions(settings: Settings) -> Iterator[str]:
    """Name what is wrong between fields that are each well formed."""
    if settings.prod_secret_arn == settings.staging_secret_arn:
        yield "staging_secret_arn is production's secret too: staging needs one of its own."
    network = ("vpc_id", "subnet_ids", "availability_zones", "security_group_ids")
    unset = [name for name in network if not getattr(settings, name)]
    if unset and len(unset) < len(network):
        yield f"{unset[0]} is missing: {', '.join(network)} are set together or not at all."
    if len(settings.availability_zones) != len(settings.subnet_ids):
        yield "availability_zones must name one zone for each of subnet_ids, in the same order."
    pool_region = (settings.user_pool_id or "").rpartition("_")[0]
    if settings.region and pool_region not in {"", settings.region}:
        yield f"user_pool_id lies in {pool_region}; ListCognitoUsers runs in {settings.region}."
    if settings.layer_dir and not Path(settings.layer_dir, "python").is_dir():
        yield "layer_dir must be a directory that holds python/, like build/layer."
    zones = zoneinfo.available_timezones()  # empty where the machine has no time zone data
    if zones and settings.schedule_timezone not in zones:
        yield "schedule_timezone is not a time zone, like UTC or Europe/Berlin."
    yield from _schedule_contradictions(settings)


def _schedule_contradictions(settings: Settings) -> Iterator[str]:
    """Name what would make every scheduled execution fail."""
    try:
        scheduled = parse_execution_input(dict(settings.schedule_input))
    except InvalidInput as error:
        yield f"schedule_input is not an execution's input: {error}"
        return
    needs_pool = scheduled.sync_cognito or scheduled.cognito_only
    if settings.schedule_expression and needs_pool and not settings.user_pool_id:
        yield (
            "schedule_input asks for Cognito, but user_pool_id is not set: set it, or set"
            " schedule_input to {}."
        )
