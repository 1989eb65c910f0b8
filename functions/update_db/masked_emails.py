"""Masked addresses: people are found by them as they were by the addresses in production.

The listing's addresses are masked as the sync masks production's, and compared without the suffix
of a masked address, which tells two from each other that differ in case only.

An address of the pool is masked whatever it looks like: otherwise somebody who has seen a masked
address in staging could claim its row by giving it to their own account. For the same reason a row
whose address looks masked, be it by another key, is never masked once more: it could be found by
whoever has that address.
"""

import json
from dataclasses import dataclass

from psycopg2 import sql

from common.emails import ASCII_ONLY, BYTEWISE, is_plain, normalized
from common.errors import ConfigurationError
from common.masking.emails import KIND, EmailMask, looks_masked, without_suffix
from common.masking.keys import MaskKey, hand_over_unseen
from common.postgres.database import Session

type Parts = dict[str, sql.Composable]

POOL_EMAIL = sql.Identifier("p", "email")
ADDRESS = sql.Identifier("staging_sync_address", "address")
COMPARED = sql.Identifier("d", "email")


@dataclass(frozen=True, slots=True)
class EmailMasking:
    """The rule and the key by which the sync masks the addresses of the users table."""

    mask: EmailMask
    key: MaskKey

    def hand_over(self, target: Session) -> None:
        """Let the transaction's statements mask addresses."""
        hand_over_unseen(target, self.key, [KIND])

    def statement_parts(self, row_email: sql.Composable, collation: str, digits: int) -> Parts:
        """Return the parts of `plain_parts`, with masked addresses of so many digits."""
        masked = self.mask.masked(ADDRESS, ASCII_ONLY, self.key.tag, digits, has_suffix=False)
        of_row = sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
            looks_masked(ADDRESS), without_suffix(ADDRESS), masked
        )
        is_masked = self.mask.is_masked(COMPARED, self.key.tag, digits)
        return {
            **plain_parts(row_email, collation),
            "pool_email": _of_address(masked, normalized(POOL_EMAIL, collation)),
            "row_email": _of_address(of_row, normalized(row_email, collation)),
            "is_masked_otherwise": sql.SQL("(NOT {} AND {})").format(
                is_masked, looks_masked(COMPARED)
            ),
        }


def parse_mask(text: str) -> EmailMask:
    """Return the mask in EMAIL_MASK, which is the sync's rule for the column as JSON.

    Raises:
        ConfigurationError: the rule is of another kind, or malformed.
    """
    try:
        rule = json.loads(text)
    except ValueError:
        raise ConfigurationError("EMAIL_MASK is no JSON. Deploy again.") from None
    return EmailMask.parse(rule)


def plain_parts(row_email: sql.Composable, collation: str) -> Parts:
    """Return the SQL for the emails in the remap's statements, where the sync masks none.

    They are what is compared of a user of the pool (`p`) and of a row; the pool's address, which
    is blank if the user has none; and whether a decision (`d`) is about a row with an address that
    is masked, but not as the present rule and key mask it.
    """
    return {
        "pool_address": normalized(POOL_EMAIL, collation),
        "pool_email": _lowered(POOL_EMAIL, collation),
        "row_email": _lowered(row_email, collation),
        "is_masked_otherwise": looks_masked(COMPARED),
    }


def _lowered(email: sql.Composable, collation: str) -> sql.Composable:
    """Return what `normalized` does, sooner for most emails: those that it would not change."""
    text = sql.SQL("{}::text").format(email)
    return sql.SQL("(CASE WHEN {} THEN {} ELSE {} END {})").format(
        is_plain(text), text, normalized(email, collation), BYTEWISE
    )


def _of_address(expression: sql.Composable, address: sql.Composable) -> sql.Composable:
    """Return an expression over an address, which is put in lower case once."""
    return sql.SQL(
        "((SELECT {} FROM (SELECT {} AS address OFFSET 0) AS staging_sync_address) {})"
    ).format(expression, address, BYTEWISE)
