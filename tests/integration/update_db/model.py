"""The rules of docs/matching.md in plain Python: shares no code with the remap, and no SQL."""

from collections import Counter
from dataclasses import dataclass

from tests.integration.update_db.remapping import UNTOUCHED, PoolUser

STATUSES = ["CONFIRMED", "EXTERNAL_PROVIDER"]  # the best first; the rest are alike
LOOK_ALIKES = "\u0130\u212a"  # whose small letters are ASCII's
UNLINKED = "(unlinked)"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the users table."""

    id: int
    email: str | None
    sub: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a remap."""

    subs: dict[int, str | None]  # by a row's id; UNLINKED for one that was taken away
    counts: dict[str, int]
    matched: set[int]  # the ids of the rows that a user of the pool has


class SharedError(Exception):
    """Several people have a sub of which some get another one: whose it was, nobody knows."""


def person_who_takes_along(sub: str | None, rows: list[Row], expected: Expected) -> int | None:
    """Return the id of the row whose new sub replaces a sub wherever it is; None if it stays.

    Raises:
        SharedError: see there.
    """
    holders = [row.id for row in rows if sub is not None and row.sub == sub]
    if all(expected.subs[each] == sub for each in holders):
        return None
    if any(expected.subs[each] == sub and each in expected.matched for each in holders):
        return None
    if len(holders) > 1:
        raise SharedError
    return holders[0]


def expect(
    rows: list[Row],
    listing: list[PoolUser],
    *,
    require_verified: bool,
    release_mismatched: bool = True,
) -> Expected:
    """Return what a remap of these rows by this listing must do."""
    pool = list({user.sub: user for user in sorted(listing, key=_changed)}.values())
    emails = {_plain(user.email) for user in pool} - {""}
    people = Counter(_plain(row.email) for row in rows)
    counts = Counter(UNTOUCHED)
    matched: dict[int, str] = {}
    left = []
    for row in rows:
        best = _best(pool, _plain(row.email))
        case, unverified = _case(best, people[_plain(row.email)], require_verified)
        if case == "match":
            matched[row.id] = best[0].sub
            counts["unchanged" if row.sub == best[0].sub else "updated"] += 1
            counts["unverified_email"] += unverified
        else:
            left.append((row, case))
    given = set(matched.values())
    known = {user.sub: _plain(user.email) for user in pool if _plain(user.email)}
    taken = set()
    for row, case in left:
        is_mismatched = known.get(row.sub or "", _plain(row.email)) != _plain(row.email)
        if row.sub in given:
            counts["unlinked"] += 1
            taken.add(row.id)
        elif is_mismatched and emails & people.keys():
            counts["mismatched"] += 1
            taken |= {row.id} if release_mismatched else set()
        else:
            counts[case] += 1
    counts["skipped_no_db_user"] = len(emails - people.keys()) + sum(
        not _plain(user.email) for user in pool
    )
    kept = {row.id: UNLINKED if row.id in taken else row.sub for row, _ in left}
    return Expected({**kept, **matched}, dict(counts), set(matched))


def _changed(user: PoolUser) -> str:
    return user.last_modified


def _plain(email: str | None) -> str:
    small = (each if each in LOOK_ALIKES else each.lower() for each in (email or "").strip())
    return "".join(small)


def _best(pool: list[PoolUser], email: str) -> list[PoolUser]:
    """Return the users with an email than whom none is better."""
    found = [user for user in pool if email and _plain(user.email) == email]
    top = max(map(_merit, found), default=None)
    return [user for user in found if _merit(user) == top]


def _merit(user: PoolUser) -> tuple[bool, bool, int]:
    place = STATUSES.index(user.status) if user.status in STATUSES else len(STATUSES)
    return user.enabled == "true", user.email_verified == "true", -place


def _case(best: list[PoolUser], namesakes: int, require_verified: bool) -> tuple[str, bool]:
    """Return "match" or the count that a row belongs to, and whether its email is unverified."""
    if not best:
        return "skipped_no_cognito_user", False
    if len(best) > 1 or namesakes > 1:
        return "skipped_ambiguous", False
    unverified = best[0].email_verified != "true"
    return "unverified_email" if unverified and require_verified else "match", unverified
