"""When two addresses are one person's: the sync's rules and the remap compare them alike."""

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.queries import load_query

# What strays into an address on either side of it; not only the blank that btrim takes.
BLANKS = " \t\n\r\f\v"
NO_BREAK_SPACE = "\u00a0"  # which not every encoding has
BYTEWISE = sql.SQL('COLLATE pg_catalog."C"')
# Knows the letters of ASCII alone; all that is safe where the encoding is not UTF-8.
ASCII_ONLY = "C"
# The letters beyond ASCII whose small ones are letters of ASCII (CaseFolding.txt and
# SpecialCasing.txt of the Unicode Character Database): İ, and the sign for Kelvin. They are held
# back by two code points that are no characters, while the others are lowered; an address that has
# one of those itself is lowered as ASCII alone.
LOWERED_TO_ASCII = "\u0130\u212a"
PLACEHOLDERS = "\ufdd0\ufdd1"


def find_collation(target: Session) -> str:
    """Return the name of the collation whose rules put an address in lower case."""
    (name,) = target.row(load_query("common", "find_collation"))
    return str(name)


def normalized(email: sql.Composable, collation: str) -> sql.Composable:
    """Return the SQL for an email trimmed and in lower case, alike for pool and table.

    A letter beyond ASCII never becomes one of ASCII: otherwise the owner of an address that looks
    like another one would get that one's row. ASCII itself is lowered by the rules of "C", since
    a Turkish collation makes another letter of I, and the rest by `collation`. Compared are bytes,
    as in our own tables.

    Args:
        email: the value, of any type that has a text.
        collation: that of `find_collation`, which the column's own may differ from.
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
    # Most addresses are ASCII, which is quicker by half.
    return sql.SQL(
        "(CASE WHEN octet_length({email}::text) = char_length({email}::text)"
        " OR translate({email}::text, {held}, '') <> {email}::text {bytewise}"
        " THEN {plain} {bytewise} ELSE {others} {bytewise} END {bytewise})"
    ).format(
        email=email, plain=plain, others=others, held=sql.Literal(PLACEHOLDERS), bytewise=BYTEWISE
    )
