"""Email addresses in the form in which the sync and the remap compare them."""

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.queries import load_query

# White space around an address; without an argument btrim removes spaces only.
BLANKS = " \t\n\r\f\v"
NO_BREAK_SPACE = "\u00a0"  # some encodings lack it
BYTEWISE = sql.SQL('COLLATE pg_catalog."C"')
# Lowers ASCII letters only: the one safe choice where the encoding is not UTF-8.
ASCII_ONLY = "C"
# The non-ASCII letters whose lower case has ASCII letters (CaseFolding.txt and SpecialCasing.txt of
# the Unicode Character Database): İ and the Kelvin sign. Two noncharacters stand in for them while
# the other letters are lowered. If an address has a noncharacter itself, only its ASCII letters
# are lowered.
LOWERED_TO_ASCII = "\u0130\u212a"
PLACEHOLDERS = "\ufdd0\ufdd1"


def find_collation(target: Session) -> str:
    """Return the name of the collation by which addresses are put in lower case."""
    (name,) = target.row(load_query("common", "find_collation"))
    return str(name)


def is_plain(email: sql.Composable) -> sql.Composable:
    """Return the condition that an email (text) is ASCII, and `normalized` returns it as it is.

    Most are, and this takes half the time of `normalized`. It is false for a blank one.
    """
    return sql.SQL(
        "(octet_length({email}) = char_length({email}) AND {email} {bytewise} >= '!'"
        " AND right({email}, 1) {bytewise} >= '!'"
        " AND {email} {bytewise} = lower({email} {bytewise}))"
    ).format(email=email, bytewise=BYTEWISE)


def normalized(email: sql.Composable, collation: str) -> sql.Composable:
    """Return the SQL for an email trimmed and in lower case, the same for pool and table.

    A non-ASCII letter never becomes an ASCII one: otherwise whoever owns an address that looks like
    another one would get that person's row. ASCII letters are lowered by the collation "C", since a
    Turkish one turns I into another letter, and other letters by `collation`. The result compares
    bytewise, as the texts in our temporary tables do.

    Args:
        email: the value, of any type that can be cast to text.
        collation: what `find_collation` returns; not the column's own.
    """
    blanks = BLANKS if collation == ASCII_ONLY else BLANKS + NO_BREAK_SPACE
    trimmed = sql.SQL("btrim({}::text, {})").format(email, sql.Literal(blanks))
    plain = sql.SQL('lower({} COLLATE pg_catalog."C")').format(trimmed)
    if collation == ASCII_ONLY:
        return sql.SQL("({} {})").format(plain, BYTEWISE)
    others = sql.SQL(
        "translate(lower(translate({plain}, {letters}, {held}) COLLATE pg_catalog.{collation}),"
        " {held}, {letters})"
    ).format(
        plain=plain,
        letters=sql.Literal(LOWERED_TO_ASCII),
        held=sql.Literal(PLACEHOLDERS),
        collation=sql.Identifier(collation),
    )
    # Most addresses are ASCII, for which `plain` is enough, and takes half the time.
    return sql.SQL(
        "(CASE WHEN octet_length({email}::text) = char_length({email}::text)"
        " OR translate({email}::text, {held}, '') <> {email}::text {bytewise}"
        " THEN {plain} {bytewise} ELSE {others} {bytewise} END {bytewise})"
    ).format(
        email=email, plain=plain, others=others, held=sql.Literal(PLACEHOLDERS), bytewise=BYTEWISE
    )
