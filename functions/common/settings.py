"""A Lambda's environment variables as one typed object: the Lambda reads it, and CDK writes it.

Each Lambda has a subclass of `LambdaEnvironment` in its `environment.py`. A field's name in
capitals is its variable's name; its annotation says how the variable is read and written. A
variable that is not set, or empty, has the field's default. CDK imports these modules, so they
need no library.
"""

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_type_hints

from common.errors import ConfigurationError

MOST_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Form:
    """How a variable is read and written.

    `read` takes the variable's name, which its errors mention, and its text.
    """

    read: Callable[[str, str], Any]
    write: Callable[[Any], str] = str
    is_unset_if_empty: bool = True


@dataclass(frozen=True, kw_only=True)
class LambdaEnvironment:
    """The base of each Lambda's variables.

    It has no slots, so that a field's default is an attribute of the class: the settings in
    cdk/settings/fields.py have the same defaults.
    """

    @classmethod
    def read(cls) -> Self:
        """Return what the process's environment says.

        Raises:
            ConfigurationError: a variable without a default is not set, or one is malformed.
        """
        values: dict[str, Any] = {}
        for field, form in _fields(cls):
            variable = field.name.upper()
            text = os.environ.get(variable)
            if text or (text is not None and not form.is_unset_if_empty):
                values[field.name] = form.read(variable, text)
            elif field.default is dataclasses.MISSING:
                raise not_set(variable)
        return cls(**values)

    def variables(self) -> dict[str, str]:
        """Return the variables to set; a value that is None has none."""
        return {
            field.name.upper(): form.write(value)
            for field, form in _fields(type(self))
            if (value := getattr(self, field.name)) is not None
        }


def _fields(
    environment: type[LambdaEnvironment],
) -> Iterator[tuple["dataclasses.Field[Any]", Form]]:
    """Return each field with its form, which is in its annotation."""
    annotations = get_type_hints(environment, include_extras=True)
    for field in dataclasses.fields(environment):
        (form,) = annotations[field.name].__metadata__
        yield field, form


def not_set(variable: str) -> ConfigurationError:
    """Return the error for a variable that is needed and not set, or empty."""
    return ConfigurationError(
        f"The environment variable {variable} is not set. Set what it stands for in cdk.json and"
        " deploy again."
    )


def _read_text(_: str, text: str) -> str:
    return text


def _read_flag(variable: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise ConfigurationError(f'The environment variable {variable} must be "true" or "false".')
    return text == "true"


def _read_percent(variable: str, text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", text, re.ASCII) or float(text) > MOST_PERCENT:
        raise ConfigurationError(
            f"The environment variable {variable} must be a number from 0 to 100, like 80."
        )
    return float(text)


def _read_strings(variable: str, text: str) -> Mapping[str, str]:
    try:
        strings = json.loads(text)
    except ValueError:
        strings = None
    if not isinstance(strings, dict) or not all(isinstance(each, str) for each in strings.values()):
        raise ConfigurationError(f"{variable} is not a JSON object of strings. Deploy again.")
    return strings


# The types of fields.
Text = Annotated[str, Form(_read_text)]
OptionalText = Annotated[str | None, Form(_read_text)]
# An empty flag is not taken for false, nor for its default.
Flag = Annotated[bool, Form(_read_flag, json.dumps, is_unset_if_empty=False)]
Percent = Annotated[float, Form(_read_percent, "{:g}".format)]
OptionalStrings = Annotated[Mapping[str, str] | None, Form(_read_strings, json.dumps)]


@dataclass(frozen=True, slots=True)
class DatabaseVariables:
    """What a Lambda's variables say about one database.

    `side` is what the variables' names begin with, "PROD" or "STAGING". `address` takes
    precedence over the secret; with "auth": "iam" it is all that a login without a secret needs.
    """

    side: str
    secret_arn: str | None
    address: Mapping[str, str]
    ca_bundle: str


@dataclass(frozen=True, kw_only=True)
class StagingEnvironment(LambdaEnvironment):
    """The variables of a Lambda that connects to staging's database."""

    exchange_bucket: Text
    staging_secret_arn: OptionalText = None
    staging_database: OptionalStrings = None
    database_ca_bundle: OptionalText = None

    @property
    def staging(self) -> DatabaseVariables:
        """What they say about staging's database."""
        return DatabaseVariables(
            "STAGING",
            self.staging_secret_arn,
            self.staging_database or {},
            self.database_ca_bundle or "",
        )
