"""Advisory locks whose keys have two parts: a class of ours, and the hash of a name.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import hashlib

from common.postgres.database import Session
from common.postgres.queries import load_query

# Classes; "st" in ASCII, and a number. A key of one part never equals one of two.
RUNS = 0x73740001  # on the target: the executions that share it
KEPT = 0x73740002  # on both sides: the snapshots that keepers hold
BEGINNING = 0x73740003  # on the source: the executions of which a keeper takes a snapshot

TRY_SHARED = "SELECT pg_try_advisory_xact_lock_shared(%s, %s)"
TRY = "SELECT pg_try_advisory_xact_lock(%s, %s)"


def key_of(name: str) -> int:
    """Return the second part of the key for a name: 31 bits, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1


def try_lock(session: Session, key_class: int, name: str) -> bool:
    """Take the lock of a name until the transaction ends, unless somebody holds it."""
    (is_ours,) = session.row(TRY, [key_class, key_of(name)])
    return bool(is_ours)


def try_lock_shared(session: Session, key_class: int, name: str) -> bool:
    """As `try_lock`, but others may take it in the same way."""
    (is_ours,) = session.row(TRY_SHARED, [key_class, key_of(name)])
    return bool(is_ours)


def is_other_key_held(session: Session, key_class: int, name: str) -> bool:
    """Return whether anybody holds the lock of another name of the class."""
    parameters = {"class": key_class, "but": key_of(name)}
    query = load_query("common/postgres/locking", "is_other_key_held")
    (is_held,) = session.row(query, parameters)
    return bool(is_held)
