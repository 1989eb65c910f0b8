"""Reading a Lambda's environment variables."""

import os
import re

from common.errors import ConfigurationError

MOST_PERCENT = 100


def required(name: str) -> str:
    """Return an environment variable's value.

    Raises:
        ConfigurationError: it is not set, or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(
            f"The environment variable {name} is not set. Set what it stands for in cdk.json and"
            " deploy again."
        )
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """Return a variable that is "true" or "false"; the default where it is not set.

    Raises:
        ConfigurationError: it is anything else.
    """
    value = os.environ.get(name, "true" if default else "false")
    if value not in {"true", "false"}:
        raise ConfigurationError(f'The environment variable {name} must be "true" or "false".')
    return value == "true"


def percent(name: str) -> float:
    """Return a variable that is a number from 0 to 100; 0 where it is not set.

    Raises:
        ConfigurationError: it is anything else.
    """
    value = os.environ.get(name) or "0"
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", value, re.ASCII) or float(value) > MOST_PERCENT:
        raise ConfigurationError(
            f"The environment variable {name} must be a number from 0 to 100, like 80."
        )
    return float(value)


def optional(name: str, default: str = "") -> str:
    """Return an environment variable's value, or the default where it is not set or empty."""
    return os.environ.get(name) or default
