"""JSON for the model of the masks: read and written as jsonb does, and changed at a path."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

STEP = re.compile(r'\.\*|\[\*\]|\["((?:[^"\\]|\\.)+)"\]|\.([^.\[]+)')


def read_json(text: str) -> Any:
    """Return what a JSON text says; numbers are decimals with all their places."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def json_text(value: Any) -> str:
    """Return a value as jsonb is shown."""
    match value:
        case dict():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return f"{{{', '.join(f'{json_text(key)}: {json_text(value[key])}' for key in keys)}}}"
        case list():
            return f"[{', '.join(map(json_text, value))}]"
        case Decimal():
            return format(value, "f")
        case _:
            return json.dumps(value, ensure_ascii=False)


def changed_at(path: str, value: Any, replaced: Callable[[Any], Any]) -> Any:
    """Return a value in which what is at a path is replaced.

    What is not what the path expects is replaced as a whole.
    """
    steps = [
        found[0] if found[0] in {".*", "[*]"} else [re.sub(r"\\(.)", r"\1", found[1] or found[2])]
        for found in STEP.finditer(path)
    ]
    return _changed(steps, value, replaced)


def _changed(steps: list[Any], value: Any, replaced: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    step, *rest = steps or [None]
    if step == "[*]" and isinstance(value, list):
        return [_changed(rest, each, replaced) for each in value]
    if step is not None and step != "[*]" and isinstance(value, dict):
        return {
            key: _changed(rest, each, replaced) if step == ".*" or key in step else each
            for key, each in value.items()
        }
    return replaced(value)
