"""People: who was linked, who was left out and why, as counts only."""

from dataclasses import dataclass

from common.reports.remap import RemapCounts, RemapResult


@dataclass(frozen=True, slots=True)
class Case:
    """How many are in a case, who they are, and what became of them; `kind` is its class."""

    count: int
    who: str
    what: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """What a remap did; `cases` that have nobody are `empty`."""

    remap: RemapResult
    linked: int
    left_out: int
    cases: tuple[Case, ...]
    empty: tuple[Case, ...]


def people(remap: RemapResult) -> People:
    """Return what a remap did, in plain words."""
    counts = remap.counts
    cases = _cases(counts)
    return People(
        remap,
        linked=counts.updated + counts.unchanged,
        left_out=(
            counts.skipped_no_cognito_user
            + counts.skipped_ambiguous
            + counts.unlinked
            + counts.mismatched
        ),
        cases=tuple(case for case in cases if case.count),
        empty=tuple(case for case in cases if not case.count),
    )


def _cases(counts: RemapCounts) -> list[Case]:
    return [
        Case(
            counts.updated,
            "linked anew",
            "Their email is that of an account in staging's pool, whose sub they have now.",
            "linked",
        ),
        Case(
            counts.unchanged,
            "linked already",
            "They have the sub of the account with their email, and were not written.",
            "linked",
        ),
        Case(
            counts.skipped_ambiguous,
            "ambiguous",
            "Several rows or several equal accounts have their email, so nobody can tell who is"
            " who: they stay as they are.",
            "care",
        ),
        Case(
            counts.mismatched,
            "held another person's sub",
            "The pool has that sub under another email. They lose it, unless release_mismatched is"
            " false: whoever logs in with it would find somebody else's rows.",
            "care",
        ),
        Case(
            counts.unlinked,
            "gave the sub away",
            "Another row has the email of that account and gets the sub.",
            "care",
        ),
        Case(
            counts.unverified_email,
            "unverified email",
            "The pool has not verified that the address belongs to whoever has the account.",
            "care",
        ),
        Case(
            counts.skipped_no_cognito_user,
            "without an account",
            "Nobody in staging's pool has their email: they stay as they are, and have no login in"
            " staging.",
        ),
        Case(
            counts.skipped_no_db_user,
            "accounts without a row",
            "No row has the email of these accounts of the pool; none is created.",
        ),
    ]
