"""Masked email addresses: DbSync writes them, and UpdateDb finds people by them.

A masked address is `<digest>@m<tag>.invalid`: the digest is of the address as it is compared, and
the tag of the mask key. An address that differs from what it is compared as (in its capital
letters, in blanks around it) has a suffix: two rows whose addresses differ in case only stay two.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from psycopg2 import sql

from common.emails import BLANKS, BYTEWISE, is_plain, normalized
from common.errors import ConfigurationError
from common.masking.keys import TAG_LENGTH, hexadecimal, text_digest
from common.postgres.queries import load_query

KIND = "email"
DIGITS, LEAST_DIGITS = 24, 12  # hexadecimal ones of the digest
SUFFIX_DIGITS = 8
DOMAIN = re.compile(r"[^@\s]+\.[^@\s.]+")
RESERVED = ".invalid"  # RFC 2606: no address in it reaches anybody
# What a masked address has beside its digest: "@m", the tag, ".invalid", and a suffix with "-".
BESIDE = len("@m") + TAG_LENGTH + len(RESERVED) + 1 + SUFFIX_DIGITS
ONE_ADDRESS = r"^[^@ \t\n\r\f\v,;<>()\"]+@[^@]+$"
# Regular expressions; one with a bound like {4,24} takes five times as long to match.
LOCAL_PART = "[0-9a-f]+(-[0-9a-f]+)?"
MASKED = rf"^{LOCAL_PART}@m{'[0-9a-f]' * TAG_LENGTH}\{RESERVED}$"
# The suffix with what is around it.
SUFFIXED = rf"^([0-9a-f]+)-[0-9a-f]{{{SUFFIX_DIGITS}}}(@m[0-9a-f]{{{TAG_LENGTH}}}\.invalid)$"


@dataclass(frozen=True, slots=True)
class EmailMask:
    """How addresses are masked; those in `keep_domains` (in lower case) stay as they are."""

    keep_domains: tuple[str, ...] = ()

    @classmethod
    def parse(cls, rule: object) -> Self:
        """Return the mask in a rule: "email" or {"with": "email", "keep_domains": […]}.

        Raises:
            ConfigurationError: it is another kind of mask, or malformed.
        """
        if rule == KIND:
            return cls()
        if not isinstance(rule, dict) or rule.get("with") != KIND:
            raise ConfigurationError(
                'The column with the email may have a mask of the kind "email" only: by any other,'
                " nobody would be found again."
            )
        return cls.of_options({name: value for name, value in rule.items() if name != "with"})

    @classmethod
    def of_options(cls, options: dict[str, Any]) -> Self:
        """Return the mask with a rule's options.

        Raises:
            ConfigurationError: one is malformed.
        """
        domains = options.get("keep_domains", [])
        if (
            not options.keys() <= {"keep_domains"}
            or not isinstance(domains, list)
            or not all(isinstance(each, str) and DOMAIN.fullmatch(each) for each in domains)
        ):
            raise ConfigurationError(
                '"keep_domains" must be a list of domains, like ["example.com"]; a mask of the kind'
                ' "email" may have this and nothing else.'
            )
        lower = tuple(sorted({domain.lower() for domain in domains}))
        if any(domain.endswith(RESERVED) or not domain.isascii() for domain in lower):
            raise ConfigurationError(
                f'"keep_domains" must be domains in ASCII (in punycode, xn--…) that do not end in'
                f" {RESERVED}, as masked addresses do."
            )
        return cls(lower)

    def masked(
        self, value: sql.Composable, collation: str, tag: str, digits: int, *, has_suffix: bool
    ) -> sql.Composable:
        """Return the SQL for a value (text) masked; NULL and blank ones stay as they are.

        Args:
            value: the address.
            collation: by which it is put in lower case, see `common.emails.find_collation`.
            tag: of the mask key.
            digits: how many of the digest are shown, see `digits_of`.
            has_suffix: whether an address that is compared as another one has one.
        """
        compared = sql.Identifier("staging_sync_email", "compared")
        suffix: sql.Composable = sql.SQL("")
        if has_suffix:
            suffix = sql.SQL(
                "|| CASE WHEN {value} {bytewise} = {compared} THEN '' ELSE '-' || {distinct} END"
            ).format(
                value=value,
                bytewise=BYTEWISE,
                compared=compared,
                distinct=hexadecimal(text_digest(KIND, value), SUFFIX_DIGITS),
            )
        parts = {
            "value": value,
            "blanks": sql.Literal(BLANKS),
            "is_plain": is_plain(value),
            "plain_is_kept": self._is_in_kept_domain(value),
            "of_plain": hexadecimal(text_digest(KIND, value), digits),
            "normalized": normalized(value, collation),
            "is_kept": self._is_in_kept_domain(compared),
            "of_compared": hexadecimal(text_digest(KIND, compared), digits),
            "suffix": suffix,
            "domain": sql.Literal(f"@m{tag}{RESERVED}"),
        }
        return sql.SQL(load_query("common/masking", "mask_email")).format(**parts)

    def _is_in_kept_domain(self, compared: sql.Composable) -> sql.Composable:
        """Return the condition that an address, as it is compared, stays because of its domain."""
        return _is_in(compared, self.keep_domains) if self.keep_domains else sql.SQL("false")

    def is_masked(self, value: sql.Composable, tag: str, digits: int) -> sql.Composable:
        """Return the condition that a value is what this mask makes of one."""
        text = _bytewise(value)
        domain = f"@m{tag}{RESERVED}"
        length = digits + len(domain)
        is_new = sql.SQL(
            "(pg_catalog.right({text}, {domain_length}) = {domain}"
            " AND (pg_catalog.length({text}), pg_catalog.strpos({text}, '-'))"
            " IN (({length}, 0), ({with_suffix}, {hyphen})) AND {text} ~ {local_part})"
        ).format(
            text=text,
            domain=sql.Literal(domain),
            domain_length=sql.Literal(len(domain)),
            length=sql.Literal(length),
            with_suffix=sql.Literal(length + 1 + SUFFIX_DIGITS),
            hyphen=sql.Literal(digits + 1),
            local_part=sql.Literal(f"^{LOCAL_PART}@"),
        )
        if not self.keep_domains:
            return is_new
        lower = sql.SQL("pg_catalog.lower({})").format(text)
        return sql.SQL("({} OR {})").format(is_new, _is_in(lower, self.keep_domains))


def _is_in(address: sql.Composable, domains: Sequence[str]) -> sql.Composable:
    """Return the condition that an address in lower case has one of some domains.

    It must be one address: what stands before the last one of several would stay, too.
    """
    return sql.SQL(
        "(pg_catalog.split_part({address}, '@', 2) = ANY ({domains}) AND {address} ~ {form})"
    ).format(address=address, domains=sql.Literal(list(domains)), form=sql.Literal(ONE_ADDRESS))


def digits_of(most_characters: int | None) -> int:
    """Return how many digits of the digest are shown in a column of so many characters.

    Returns:
        The digits; fewer than `LEAST_DIGITS` if the column is too short for a masked address.
    """
    return DIGITS if most_characters is None else min(DIGITS, most_characters - BESIDE)


def without_suffix(email: sql.Composable) -> sql.Composable:
    """Return the SQL for an email without a masked address's suffix, for a comparison."""
    return sql.SQL("pg_catalog.regexp_replace({}, {}, '\\1\\2')").format(
        _bytewise(email), sql.Literal(SUFFIXED)
    )


def looks_masked(email: sql.Composable) -> sql.Composable:
    """Return the condition that an email is a masked address of any key."""
    return sql.SQL("(pg_catalog.right({text}, {length}) = {end} AND {text} ~ {form})").format(
        text=_bytewise(email),
        length=sql.Literal(len(RESERVED)),
        end=sql.Literal(RESERVED),
        form=sql.Literal(MASKED),
    )


def _bytewise(email: sql.Composable) -> sql.Composable:
    """Return the SQL for an email as a text of the collation "C".

    A column's own collation may be nondeterministic, for which there are no regular expressions.
    """
    return sql.SQL("({}::text {})").format(email, BYTEWISE)
