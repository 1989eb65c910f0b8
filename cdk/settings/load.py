"""Turns the context of cdk.json into one environment's checked settings, or says what is wrong."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cdk.settings.model import Settings
from cdk.settings.rules import contradictions

UNKNOWN = "extra_forbidden"  # pydantic's name for a field that the model does not have
# pydantic's names for values of a wrong type, and what the value must be.
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
    """Settings are unknown, missing, of the wrong type or impossible.

    Attributes:
        problems: a sentence for each, which begins with the setting's path.
    """

    def __init__(self, *problems: str) -> None:
        """Take the sentences; the message has one on each line."""
        self.problems = problems
        super().__init__("\n".join(problems))

    def in_file(self, file: str) -> str:
        """Return the sentences, one on each line, behind the name of the file."""
        return "\n".join(f"{file}: {problem}" for problem in self.problems)


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
    # It becomes part of the names of the stack, which CloudFormation restricts, and of the state
    # machine, which may have 80 characters.
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", str(name)):
        raise SettingsError(
            f'environments.{name}: its name may hold only letters, digits and "-", 60 at most.'
        )
    return str(name), parse_settings(environments[name], f"environments.{name}")


def parse_settings(block: object, path: str) -> Settings:
    """Return the checked settings of one block.

    Args:
        block: the block as JSON gives it.
        path: where the block is, for the messages.

    Raises:
        SettingsError: everything that is wrong with single fields, or, if they are all well
            formed, between them.
    """
    try:
        # As JSON, since in strict mode a list is taken for a tuple only there.
        settings = Settings.model_validate_json(json.dumps(block))
    except ValidationError as error:
        raise SettingsError(*_sentences(error, path)) from None
    if problems := [f"{path}.{contradiction}" for contradiction in contradictions(settings)]:
        raise SettingsError(*problems)
    return settings


def _sentences(error: ValidationError, path: str) -> Iterator[str]:
    """Return what is wrong, in the model's order, but unknown fields first.

    A misspelt name is the cause of other problems. The first unknown field of a block lists the
    known ones.
    """
    listed: set[type[BaseModel]] = set()
    for problem in sorted(error.errors(), key=lambda each: each["type"] != UNKNOWN):
        complaint = _complaint(problem)
        if problem["type"] == UNKNOWN and (block := _block_of(problem)) not in listed:
            listed.add(block)
            complaint += f"; known are {', '.join(sorted(block.model_fields))}"
        yield f"{_place(problem, path)} {complaint}."


def _place(problem: ErrorDetails, path: str) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
    return path + "".join(steps)


def _complaint(problem: ErrorDetails) -> str:
    """Return what follows the field's name."""
    kind = problem["type"]
    if kind == UNKNOWN:
        return "is not a setting"
    if kind == "missing":
        return "is missing and has no default"
    if kind == "literal_error":
        return f"must be {problem['ctx']['expected']}"
    if kind in WRONG_TYPES:
        return f"must be {WRONG_TYPES[kind]}"
    return problem["msg"]


def _block_of(problem: ErrorDetails) -> type[BaseModel]:
    """Return the model of the block that contains the field."""
    block: type[BaseModel] = Settings
    for step in problem["loc"][:-1]:
        annotation: Any = block.model_fields[str(step)].annotation
        block = annotation
    return block
