"""The kinds of masks, and the options that a rule of each may have."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Self

from common.errors import ConfigurationError
from common.json_paths import Path, leads_to, parse_path
from common.masking.emails import EmailMask

MOST_PERCENT = 100
MOST_DAYS = 36_500  # a hundred years
MOST_WITHIN = 10**15
DEFAULT_PERCENT, DEFAULT_DAYS = 10, 30
# No country has it: ITU-T E.164 keeps it for a future global service. No call or message to such a
# number reaches anybody.
UNASSIGNED = "+999"


@dataclass(frozen=True, slots=True)
class MaskRule:
    """How a column is masked: a kind of mask, and its options."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, what: str, rule: object) -> Self:
        """Return the rule for `what`, a column or a path: "kind" or {"with": "kind", …}.

        Raises:
            ConfigurationError: the kind is unknown, or an option is missing or malformed.
        """
        if isinstance(rule, str):
            return cls._checked(what, rule, {})
        if isinstance(rule, dict) and isinstance(rule.get("with"), str):
            options = {name: value for name, value in rule.items() if name != "with"}
            return cls._checked(what, rule["with"], options)
        raise ConfigurationError(
            f'The mask of "{what}" must be a kind, like "hash", or an object with one, like'
            ' {"with": "date", "within_days": 30}.'
        )

    @classmethod
    def _checked(cls, what: str, kind: str, options: dict[str, Any]) -> Self:
        if kind not in KINDS:
            raise ConfigurationError(
                f'The mask of "{what}" is of the kind "{kind}", which does not exist. There are'
                f" {', '.join(KINDS)}."
            )
        if fault := NO_NUL if _has_nul(options) else KINDS[kind](options):
            raise ConfigurationError(f'The mask of "{what}": {fault}')
        return cls(kind, options)

    @property
    def email(self) -> EmailMask:
        """The mask of a rule of the kind "email"."""
        return EmailMask.of_options(dict(self.options))

    @property
    def paths(self) -> Iterator[tuple[Path, Self]]:
        """The paths of a rule of the kind "json", each with the rule for what is there."""
        for text, rule in self.options.get("paths", {}).items():
            yield parse_path(text), self.parse(text, rule)

    @property
    def kinds(self) -> Iterator[str]:
        """Its kind, and those of its paths."""
        yield self.kind
        for _, within in self.paths:
            yield within.kind
            if within.kind == "number":
                yield "hash"  # of what is no number

    def as_json(self) -> dict[str, Any]:
        """Return the rule as a team writes it."""
        return {"with": self.kind, **self.options}

    def __str__(self) -> str:
        return self.kind


type Fault = str  # a sentence; empty if there is none
NO_NUL = "an option contains the character NUL, which no text in PostgreSQL has."
type CheckOptions = Callable[[dict[str, Any]], Fault]


def _none(options: dict[str, Any]) -> Fault:
    return "this kind has no options." if options else ""


def _of_fixed(options: dict[str, Any]) -> Fault:
    if options.keys() == {"value"} and options["value"] is not None:
        return ""
    return 'a mask of the kind "fixed" must have a "value", and nothing else; null is a kind.'


def _of_email(options: dict[str, Any]) -> Fault:
    try:
        EmailMask.of_options(options)
    except ConfigurationError as error:
        return error.message
    return ""


def _of_phone(options: dict[str, Any]) -> Fault:
    prefix = options.get("prefix", UNASSIGNED)
    if options.keys() <= {"prefix"} and isinstance(prefix, str) and prefix.isascii():
        return ""
    return (
        'a mask of the kind "phone" may have a "prefix", which the numbers begin with, like'
        ' "+1555010", and nothing else.'
    )


def _of_number(options: dict[str, Any]) -> Fault:
    limits = {"within": MOST_WITHIN, "within_percent": MOST_PERCENT}
    if not options:
        return ""
    ((name, value), *others) = options.items()
    if not others and name in limits and _is_between(value, limits[name]):
        return ""
    return (
        'a mask of the kind "number" may have either "within", the most that a number is moved by,'
        ' or "within_percent", which is at most 100; both are more than 0.'
    )


def _of_date(options: dict[str, Any]) -> Fault:
    days = options.get("within_days", DEFAULT_DAYS)
    if options.keys() <= {"within_days"} and isinstance(days, int) and _is_between(days, MOST_DAYS):
        return ""
    return (
        'a mask of the kind "date" may have "within_days", the whole days that a date is moved by'
        f" at the most, from 1 to {MOST_DAYS}."
    )


def _of_sql(options: dict[str, Any]) -> Fault:
    expression = options.get("expression")
    if options.keys() != {"expression"} or not isinstance(expression, str) or not expression:
        return (
            'a mask of the kind "sql" must have an "expression", like "left({column}, 20)", and'
            " nothing else."
        )
    if ";" in expression:
        return 'the "expression" must not contain a semicolon: it is one expression.'
    return ""


def _of_json(options: dict[str, Any]) -> Fault:
    paths = options.get("paths")
    if options.keys() != {"paths"} or not isinstance(paths, dict) or not paths:
        return (
            'a mask of the kind "json" must have "paths", like {"$.address.street": "text"}, and'
            " nothing else."
        )
    try:
        parsed = [(parse_path(text), MaskRule.parse(text, rule)) for text, rule in paths.items()]
    except ConfigurationError as error:
        return error.message
    if unusable := sorted({rule.kind for _, rule in parsed} - IN_JSON):
        return f"within JSON a mask cannot be of the kind {' or '.join(unusable)}."
    for (path, _), (other, _) in permutations(parsed, 2):
        if leads_to(path, other):
            return (
                "one of the paths leads to or through what another one masks, with all that is"
                " below it. Name each place once."
            )
    return ""


def _has_nul(value: object) -> bool:
    """Return whether a text in an option's value has a character that PostgreSQL has not."""
    if isinstance(value, dict):
        return any(map(_has_nul, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\x00" in value


def _is_between(value: object, most: int) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 < value <= most  # type: ignore[arg-type,operator]


KINDS: dict[str, CheckOptions] = {
    "null": _none,
    "fixed": _of_fixed,
    "hash": _none,
    "email": _of_email,
    "phone": _of_phone,
    "name": _none,
    "text": _none,
    "number": _of_number,
    "date": _of_date,
    "ip": _none,
    "uuid": _none,
    "json": _of_json,
    "sql": _of_sql,
}
# What a scalar within JSON can be masked with.
IN_JSON = frozenset(
    {"null", "fixed", "hash", "email", "phone", "name", "text", "number", "ip", "uuid"}
)
# By these a value that is unique stays unique.
UNIQUE = frozenset({"hash", "email", "uuid"})
# The same for every value that is not NULL.
CONSTANT = frozenset({"null", "fixed"})
# Those that depend on the key.
KEYED = frozenset(KINDS) - CONSTANT - {"json", "sql"}
