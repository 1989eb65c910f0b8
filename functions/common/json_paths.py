"""Paths into a JSON value, and the SQL that replaces what is at one.

`$.address.street`, `$.phones[*]`, `$.contacts[*].email`, `$.extra.*`, `$["a key"]`.
"""

import re
from collections.abc import Callable

from psycopg2 import sql

from common.errors import ConfigurationError

EACH, EVERY_KEY = "[*]", ".*"  # a step into all elements of an array, or all values of an object
STEP = re.compile(r'\.(?P<name>[^\s.\[\]"*]+)|\["(?P<quoted>(?:[^"\\]|\\.)+)"\]|\[\*\]|\.\*')

type Step = tuple[str] | str  # a key, in a tuple; or EACH or EVERY_KEY
type Path = tuple[Step, ...]
type Replace = Callable[[sql.Composable], sql.Composable]  # a value (jsonb) by another one


def parse_path(text: str) -> Path:
    """Return the steps of a path.

    Raises:
        ConfigurationError: the path is malformed.
    """
    steps: list[Step] = []
    at = 1
    while text.startswith("$") and (found := STEP.match(text, at)):
        key = found["name"] or found["quoted"]
        steps.append((re.sub(r"\\(.)", r"\1", key),) if key else found[0])
        at = found.end()
    if not steps or at != len(text):
        raise ConfigurationError(
            f'"{text}" is no path into JSON. Write it like $.address.street, $.phones[*] (each'
            ' element), $.extra.* (each value), or $["a key"].street.'
        )
    return tuple(steps)


def leads_to(path: Path, other: Path) -> bool:
    """Return whether what is at one path may be at the other one, or above it."""
    return len(path) <= len(other) and all(
        step == counterpart
        or (EVERY_KEY in (step, counterpart) and EACH not in (step, counterpart))
        for step, counterpart in zip(path, other, strict=False)
    )


def replaced_at(
    path: Path, value: sql.Composable, replace: Replace, depth: int = 0
) -> sql.Composable:
    """Return the SQL for a value (jsonb) in which what is at a path is replaced.

    Where the path leads nowhere, nothing is. Where it leads through a value of another kind, as
    `$.address.street` does where the address is one text, that is replaced as a whole: it may hold
    what the rule means. JSON's null and SQL's NULL stay.
    """
    alias = f"staging_sync_json_{depth}"
    own = sql.Identifier(alias, "value")
    within: sql.Composable = sql.SQL("")
    if path:
        within = sql.SQL("WHEN {} THEN {}").format(
            sql.Literal("array" if path[0] == EACH else "object"),
            _stepped(path, own, replace, depth),
        )
    return sql.SQL(
        "(SELECT CASE WHEN {own} IS NOT NULL THEN CASE pg_catalog.jsonb_typeof({own})"
        " {within} WHEN 'null' THEN {own} ELSE {replaced} END END"
        " FROM (SELECT {value} AS value OFFSET 0) {alias})"
    ).format(
        own=own,
        within=within,
        replaced=replace(own),
        value=value,
        alias=sql.Identifier(alias),
    )


def _stepped(path: Path, own: sql.Composable, replace: Replace, depth: int) -> sql.Composable:
    """Return the SQL for an object or array in which what is at a path is replaced."""
    step, *rest = path
    part = f"staging_sync_part_{depth}"
    if isinstance(step, tuple):
        key = sql.Literal(step[0])
        inner = replaced_at(tuple(rest), sql.SQL("({} -> {})").format(own, key), replace, depth + 1)
        # Without the key the inner value is NULL, and so is the result of jsonb_set.
        return sql.SQL(
            "coalesce(pg_catalog.jsonb_set({own}, ARRAY[{key}], {inner}), {own})"
        ).format(own=own, key=key, inner=inner)
    inner = replaced_at(tuple(rest), sql.Identifier(part, "value"), replace, depth + 1)
    if step == EACH:
        template = (
            "coalesce((SELECT pg_catalog.jsonb_agg({inner} ORDER BY {part}.number) FROM"
            " pg_catalog.jsonb_array_elements({own}) WITH ORDINALITY {part} (value, number)),"
            " '[]'::jsonb)"
        )
    else:
        template = (
            "coalesce((SELECT pg_catalog.jsonb_object_agg({part}.key, {inner}) FROM"
            " pg_catalog.jsonb_each({own}) {part} (key, value)), '{{}}'::jsonb)"
        )
    return sql.SQL(template).format(inner=inner, own=own, part=sql.Identifier(part))
