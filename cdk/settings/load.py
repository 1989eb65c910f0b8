"""From the context of cdk.json to one environment's checked settings, or to one sentence."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cdk.settings.model import Settings
from cdk.settings.rules import contradictions

# pydantic's names for a value of the wrong plain type, and what it must be.
WRONG_TYPES = {
    "string_type": "a string",
    "bool_type": "true or false",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


class SettingsError(Exception):
    """A setting is unknown, missing, of the wrong type or impossible; the message names it."""


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
    # The name becomes part of the stack's, which CloudFormation restricts, and of the state
    # machine's, which may have 80 characters.
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", str(name)):
        raise SettingsError(
            f'environments.{name}: its name may hold only letters, digits and "-", 60 at most.'
        )
    return str(name), parse_settings(environments[name], f"environments.{name}")


def parse_settings(block: object, path: str) -> Settings:
    """Return the checked settings of one block.

    Args:
        block: the block as JSON gives it.
        path: where it stands, for the messages.

    Raises:
        SettingsError: the first thing that is wrong, with the field's path.
    """
    try:
        # As JSON, where a list is the one way to write a tuple.
        settings = Settings.model_validate_json(json.dumps(block))
    except ValidationError as error:
        raise SettingsError(_sentence(error, path)) from None
    for contradiction in contradictions(settings):
        raise SettingsError(f"{path}.{contradiction}")
    return settings


def _sentence(error: ValidationError, path: str) -> str:
    """Return what is wrong first: an unknown field before one that is missing for its sake."""
    problems = error.errors()
    problem = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    return f"{_place(problem, path)} {_complaint(problem)}."


def _place(problem: ErrorDetails, path: str) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
    return path + "".join(steps)


def _complaint(problem: ErrorDetails) -> str:
    """Return what follows the field's name."""
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = ", ".join(sorted(_block_of(problem).model_fields))
        return f"is not a setting; known are {known}"
    if kind == "missing":
        return "is missing and has no default"
    if kind == "literal_error":
        return f"must be {problem['ctx']['expected']}"
    if kind in WRONG_TYPES:
        return f"must be {WRONG_TYPES[kind]}"
    return problem["msg"]


def _block_of(problem: ErrorDetails) -> type[BaseModel]:
    """Return the model of the block that the field stands in."""
    block: type[BaseModel] = Settings
    for step in problem["loc"][:-1]:
        annotation: Any = block.model_fields[str(step)].annotation
        block = annotation
    return block
