"""When two addresses are one person's: the sync's rules and the remap compare them alike."""

from psycopg2 import sql

from common.database import Session
from common.queries import load_query

# What strays into an address on either side of it; not only the blank that btrim takes.
BLANKS = " \t\n\r\f\v\u00a0"
BYTEWISE = sql.SQL('COLLATE pg_catalog."C"')


def find_collation(target: Session) -> str:
    """Return the name of the collation whose rules put an address in lower case."""
    collations = [name for (name,) in target.rows(load_query("common", "find_collations"))]
    return collations[0] if collations else "default"


def normalized(email: sql.Composable, collation: str) -> sql.Composable:
    """Return the SQL for an email trimmed and in lower case, alike for pool and table.

    The collation is named, since the column's own may lower other letters: "C" none beyond
    ASCII, a Turkish one an I without its dot. Compared are bytes, as in our own tables.
    """
    return sql.SQL("(lower(btrim({}::text, {}) COLLATE {}) {})").format(
        email, sql.Literal(BLANKS), sql.Identifier(collation), BYTEWISE
    )
