"""Reading a Lambda's environment variables."""

import os

from common.errors import ConfigurationError


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


def flag(name: str) -> bool:
    """Return a variable that is "true" or "false"; false where it is not set.

    Raises:
        ConfigurationError: it is anything else.
    """
    value = os.environ.get(name, "false")
    if value not in {"true", "false"}:
        raise ConfigurationError(f'The environment variable {name} must be "true" or "false".')
    return value == "true"


def optional(name: str, default: str = "") -> str:
    """Return an environment variable's value, or the default where it is not set or empty."""
    return os.environ.get(name) or default
