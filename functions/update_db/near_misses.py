"""Addresses that look the same but differ: they match nobody, and are reported.

Only rows and users of the pool without a match are compared. An address that is not plain ASCII, or
has a domain in punycode, is reduced to what it looks like; if that is another address, or what
another one looks like, both are near misses.

Masked addresses are plain ASCII and look like nothing else, so that near misses are found among the
addresses of kept domains only. What the pool's others look like is not reduced before they are
masked: the rows that it could be compared with are masked too, and cannot be.
"""

import csv
import hashlib
import io
import tempfile
import unicodedata

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.queries import load_query

FIND = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, ENCODING {})")
FILL = sql.SQL("COPY pg_temp.staging_sync_looks FROM STDIN (FORMAT csv, ENCODING {})")
ESCAPING = "surrogateescape"  # for bytes that are not UTF-8, in a database without an encoding
BUFFERED = 4_000_000  # bytes in memory; more go to a file
PUNYCODE = "xn--"  # the prefix of such a label of a domain: RFC 3492, RFC 5890
# Unicode's general categories of invisible characters: format, control, separators.
INVISIBLE = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})
# Invisible characters of other categories: the grapheme joiner, and the variation selectors.
INVISIBLE_MARKS = frozenset({"\u034f", *map(chr, range(0xFE00, 0xFE10))})
SMALL_DOTTED = "i\u0307"  # the lower case of İ


def find_near_misses(target: Session) -> int:
    """Mark the near misses in `staging_sync_decisions`, and return how many of them are rows.

    Fills `staging_sync_looks`, which is empty before.
    """
    encoding = sql.Literal(target.copy_encoding)
    unusual = FIND.format(sql.SQL(load_query("update_db", "find_unusual")), encoding)
    with (
        tempfile.SpooledTemporaryFile(BUFFERED) as found,
        tempfile.SpooledTemporaryFile(BUFFERED) as looks,
    ):
        if not target.copy_out(unusual, found):
            return 0
        _reduce(found, looks)
        target.copy_in(FILL.format(encoding), looks)
    return int(target.row(load_query("update_db", "mark_near_misses"))[0])


def look_of(email: str) -> str:
    """Return what an address looks like, in lower case."""
    local, at, domain = email.rpartition("@")
    labels = ".".join(map(_decoded, domain.split(".")))
    text = f"{local}{at}{labels}"
    for _ in range(2):  # the result of one step may need the other one
        text = unicodedata.normalize("NFKC", text).casefold().replace(SMALL_DOTTED, "i")
    seen = (each for each in text if unicodedata.category(each) not in INVISIBLE)
    return "".join(each for each in seen if each not in INVISIBLE_MARKS)


def _decoded(label: str) -> str:
    """Return a label of a domain without punycode, or as it is if that is malformed."""
    if not label.lower().startswith(PUNYCODE):
        return label
    try:
        return label[len(PUNYCODE) :].encode("ascii").decode("punycode")
    except ValueError:
        return label


def _reduce(found: "tempfile.SpooledTemporaryFile[bytes]", looks: io.IOBase) -> None:
    """Write each address with what it looks like, or with a hash of that if it is not ASCII.

    The database's encoding may not be able to represent what an address looks like.
    """
    found.seek(0)
    lines = io.TextIOWrapper(found, encoding="utf-8", errors=ESCAPING, newline="")
    text = io.TextIOWrapper(looks, encoding="utf-8", errors=ESCAPING, newline="")  # type: ignore[type-var]  # a spooled file is one
    writer = csv.writer(text, lineterminator="\n")
    for (email,) in csv.reader(lines):
        look = look_of(email)
        if not look:
            continue
        key = (
            look
            if look.isascii()
            else "#" + hashlib.sha256(look.encode(errors=ESCAPING)).hexdigest()
        )
        writer.writerow([email, key])
    text.flush()
    text.detach()
    lines.detach()
    looks.seek(0)
