"""The table of docs/deployment.md says what the model says."""

import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdk.settings.model import Settings
from cdk.settings.values import Rule
from tests.infra.synthesized import EXAMPLE, ROOT

HEADER = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
PLAIN = {bool: "`true` or `false`", dict: "an object"}


def test_the_table_of_settings_says_what_the_model_says() -> None:
    lines = (ROOT / "docs" / "deployment.md").read_text().splitlines()
    begin = lines.index(HEADER[0])
    table = lines[begin : lines.index("", begin)]
    assert table == [*HEADER, *rows(Settings)]


def test_each_setting_says_what_it_means() -> None:
    assert [name for name, field in fields(Settings) if not field.description] == []


def test_the_example_holds_settings_only() -> None:
    known = {name for name, _ in fields(Settings)}
    assert EXAMPLE["context"]["environments"]["staging"].keys() <= known


def fields(block: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Return each field with its path, those of a block after the block itself."""
    for name, field in block.model_fields.items():
        yield prefix + name, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{name}.")


def rows(block: type[BaseModel]) -> Iterator[str]:
    for name, field in fields(block):
        yield f"| `{name}` | {kind(field)} | {default(field)} | {field.description} |"


def kind(field: FieldInfo) -> str:
    """Return in words what a field may hold."""
    rules = [rule.phrase for rule in field.metadata if isinstance(rule, Rule)]
    return rules[0] if rules else words(field.annotation)


def words(annotation: Any) -> str:
    """Return in words what an annotation allows."""
    if NoneType in get_args(annotation):  # a value or none
        (annotation,) = set(get_args(annotation)) - {NoneType}
    if get_origin(annotation) is tuple:
        return f"a list, each {words(get_args(annotation)[0])}"
    rules = [rule.phrase for rule in getattr(annotation, "__metadata__", ())]
    if rules:
        return str(rules[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "an object"
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    return PLAIN[get_origin(annotation) or annotation]


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, BaseModel):
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{as_json(value)}`"


def as_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
