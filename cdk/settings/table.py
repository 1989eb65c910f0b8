"""The table of settings: each field's name, type, default and meaning."""

import json
from collections.abc import Iterator, Sequence
from types import NoneType
from typing import Any, Literal, TypeGuard, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdk.settings.model import Settings
from cdk.settings.values import Rule

HEADER = ("setting", "type", "default", "meaning")
PLAIN = {bool: "`true` or `false`", dict: "an object"}


def setting_rows() -> Iterator[Sequence[str]]:
    """Return the cells of each setting's row."""
    for name, field in setting_fields(Settings):
        yield f"`{name}`", _type_of(field), _default_of(field), field.description or ""


def setting_fields(block: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Return each field with its path, those of a block after the block itself."""
    for name, field in block.model_fields.items():
        yield prefix + name, field
        if _is_block(field.annotation):
            yield from setting_fields(field.annotation, f"{name}.")


def _type_of(field: FieldInfo) -> str:
    """Return a field's type in words."""
    rules = [rule.phrase for rule in field.metadata if isinstance(rule, Rule)]
    return rules[0] if rules else _words(field.annotation)


def _words(annotation: Any) -> str:
    """Return in words what an annotation allows."""
    annotation = getattr(annotation, "__value__", annotation)  # what a type statement names
    if NoneType in get_args(annotation):  # a value or none
        (annotation,) = set(get_args(annotation)) - {NoneType}
    if get_origin(annotation) is tuple:
        return f"a list, each {_words(get_args(annotation)[0])}"
    rules = [rule.phrase for rule in getattr(annotation, "__metadata__", ())]
    if rules:
        return str(rules[0])
    if _is_block(annotation):
        return "an object"
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    return PLAIN[get_origin(annotation) or annotation]


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return "none"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _is_block(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
