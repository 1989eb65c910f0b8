"""What moto's interpreter lacks: it reads a Map's items from a JSON array or CSV only."""

import json
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_output_transformer.transformer_json import (  # noqa: E501
    ResourceOutputTransformerJson,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.reader_config.input_type import (  # noqa: E501
    InputTypeValue,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment


def read_json_lines(patch: pytest.MonkeyPatch) -> None:
    """Have the interpreter read an InputType of JSONL, and nothing else, as JSON lines."""
    patch.setattr(InputTypeValue, "_missing_", classmethod(_json_lines))
    patch.setattr(ResourceOutputTransformerJson, "_eval_body", _parse_lines)


def _json_lines(values: type[InputTypeValue], name: str) -> InputTypeValue | None:
    return values.JSON if name == "JSONL" else None


def _parse_lines(_: object, environment: Environment) -> None:
    """Replace the reader's configuration and the file's text on the stack by the items."""
    stack: list[Any] = environment.stack
    stack.pop()
    stack.append([json.loads(line) for line in stack.pop().splitlines()])
