"""The mask key: masked values depend on it, so that without it nobody can test a guess.

Each kind of mask has a key of its own, which is derived from it. The statements name them by a
setting of the transaction: COPY's text is shown in pg_stat_activity and kept in the server's log.
"""

import hashlib
import hmac
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.settings.replication_role import define

SETTING = "staging_sync.mask_keys"
LEAST_LENGTH = 32  # characters; `openssl rand -hex 32` writes 64
# What is derived from the key; another number if a kind's masks are ever computed otherwise.
PURPOSE = "staging-sync mask 1"
KEY_BYTES = 16
# Hexadecimal digits that a masked address has of its key, so that one of another key is noticed.
TAG_LENGTH = 4


@dataclass(frozen=True, slots=True)
class MaskKey:
    """The secret that masked values depend on; it is never shown."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < LEAST_LENGTH:
            raise ConfigurationError(
                f"The mask key is shorter than {LEAST_LENGTH} characters, so that it could be"
                " guessed. Create one with: openssl rand -hex 32"
            )
        if not self.secret.isascii():
            raise ConfigurationError(
                "The mask key has characters that are not ASCII. Create one with: openssl rand -hex"
                " 32"
            )

    def of_kind(self, kind: str) -> bytes:
        """Return the bytes by which a kind of mask is keyed: too many for anybody to guess.

        So few that SHA-256 takes one block of 64 bytes for them and a value of up to 39, and not
        two.
        """
        return self._derived(f"kind {kind}")[:KEY_BYTES]

    @property
    def tag(self) -> str:
        """Characters that tell this key's masked addresses from another's, and nothing else."""
        return self._derived("tag").hex()[:TAG_LENGTH]

    def _derived(self, what: str) -> bytes:
        return hmac.digest(self.secret.encode(), f"{PURPOSE} {what}".encode(), hashlib.sha512)


def hand_over(session: Session, key: MaskKey, kinds: Iterable[str]) -> None:
    """Let the transaction's statements compute masks; the keys are gone when it ends.

    set_config is a function call: pg_stat_statements keeps it without its arguments, unlike SET.
    """
    keys = _listed(key, kinds)
    session.row("SELECT pg_catalog.set_config(%s, %s, true) IS NOT NULL", [SETTING, keys])


def hand_over_unseen(session: Session, key: MaskKey, kinds: Iterable[str]) -> None:
    """As `hand_over`, where we may create a temporary table: no statement's text has the keys.

    So staging's log, which may keep every statement, does not show them to those who read it.
    """
    define(session, "CREATE TEMPORARY TABLE staging_sync_mask_keys (keys text) ON COMMIT DROP")
    copied = io.BytesIO(_listed(key, kinds).encode())
    session.copy_in("COPY pg_temp.staging_sync_mask_keys FROM STDIN", copied)
    session.row(
        "SELECT pg_catalog.set_config(%s, keys, true) IS NOT NULL"
        " FROM pg_temp.staging_sync_mask_keys",
        [SETTING],
    )


def _listed(key: MaskKey, kinds: Iterable[str]) -> str:
    """Return the kinds' keys as JSON, which has nothing that COPY would take for an escape."""
    return json.dumps({kind: key.of_kind(kind).hex() for kind in sorted(set(kinds))})


def digest(kind: str, value: sql.Composable) -> sql.Composable:
    """Return the SQL for the keyed digest (32 bytes) of a value (bytea).

    One SHA-256 over the key and the value takes half as long as an HMAC. What HMAC adds, that
    nobody can extend a digest to that of a longer value, does not matter as long as no more than
    half of a digest is ever shown. The subquery is computed once for a statement; outside of the
    transaction it fails, since the setting is empty then and no JSON.
    """
    return sql.SQL("pg_catalog.sha256({} || {})").format(_key_of(kind), value)


def text_digest(kind: str, text: sql.Composable) -> sql.Composable:
    """Return the SQL for the keyed digest of a text, by its bytes in the database's encoding."""
    return digest(
        kind,
        sql.SQL("pg_catalog.convert_to({}, pg_catalog.getdatabaseencoding())").format(text),
    )


def hexadecimal(digested: sql.Composable, digits: int) -> sql.Composable:
    """Return the SQL for a digest's first hexadecimal digits, of which at most 32 may be shown."""
    shown = sql.SQL("pg_catalog.encode(pg_catalog.substr({}, 1, {}), 'hex')").format(
        digested, sql.Literal((digits + 1) // 2)
    )
    if digits % 2 == 0:
        return shown
    return sql.SQL("pg_catalog.substr({}, 1, {})").format(shown, sql.Literal(digits))


def _key_of(kind: str) -> sql.Composable:
    """Return the SQL for a kind's key; it fails without one, since NULL would let values pass."""
    return sql.SQL(
        "(SELECT pg_catalog.decode("
        "coalesce(pg_catalog.current_setting({})::json ->> {}, 'no key'), 'hex'))"
    ).format(sql.Literal(SETTING), sql.Literal(kind))
