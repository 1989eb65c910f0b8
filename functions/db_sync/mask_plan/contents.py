"""What a column's values look like: the patterns, and what follows from how many values match."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg2 import sql

EMAIL = "[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+"
# A number needs a plus, a leading 00 or its usual blanks and dashes: a row of digits may be an id.
PHONE = (
    r"^([+]|00[1-9]|[(])[0-9 ()./-]{6,22}$"
    r"|^0[1-9][0-9]{1,4}[ /-][0-9 -]{4,12}$"
    r"|^[0-9]{3}[-. ][0-9]{3}[-. ][0-9]{4}$"
)
IBAN = "^[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9 ]{6,30}$"
IP = (
    r"^([0-9]{1,3}[.]){3}[0-9]{1,3}(/[0-9]{1,2})?$"
    r"|^([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(/[0-9]{1,3})?$"
    r"|^[0-9A-Fa-f:]*::[0-9A-Fa-f:]*(/[0-9]{1,3})?$"
)


class Look(NamedTuple):
    """What values of a pattern are, and the kind of mask for a column that holds them mostly."""

    pattern: str
    kind: str
    what: str


LOOKS = (
    Look(f"^[[:space:]]*{EMAIL}[[:space:]]*$", "email", "email addresses"),
    Look(PHONE, "phone", "phone numbers"),
    Look(IBAN, "hash", "account numbers (IBAN)"),
    Look(IP, "ip", "IP addresses"),
)
WITHIN = Look(EMAIL, "text", "texts with email addresses")  # some of them are enough


class Finding(NamedTuple):
    """The kind of mask that a column's values suggest, and why."""

    kind: str
    why: str


def matches(value: sql.Composable) -> sql.Composable:
    """Return the SQL for how many values of a group match each pattern."""
    return sql.SQL(", ").join(
        sql.SQL("pg_catalog.count(*) FILTER (WHERE {} ~ {})").format(value, sql.Literal(pattern))
        for pattern, _, _ in (*LOOKS, WITHIN)
    )


def is_personal(value: sql.Composable) -> sql.Composable:
    """Return the condition that a value matches one of the patterns."""
    return sql.SQL(" OR ").join(
        sql.SQL("{} ~ {}").format(value, sql.Literal(pattern)) for pattern, _, _ in (*LOOKS, WITHIN)
    )


def find_look(filled: int, matching: Sequence[int]) -> Finding | None:
    """Return what most of the values look like; None if they do not look personal.

    Args:
        filled: how many are not empty.
        matching: how many match each pattern of `matches`.
    """
    *mostly, within = matching
    for look, count in zip(LOOKS, mostly, strict=True):
        if 2 * count > filled:
            return Finding(look.kind, f"most values are {look.what}")
    return Finding(WITHIN.kind, f"some are {WITHIN.what}") if within else None
