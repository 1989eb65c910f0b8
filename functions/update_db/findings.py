"""The notices of a remap; the people whom they concern are named in the report only."""

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.queries import load_query
from common.reports.notices import Notice, Topic
from common.reports.remap import RemapCounts
from update_db.masked_emails import Parts
from update_db.users_table import UsersTable

RELINK = '{"sync_cognito": true}'  # an execution's input


def require_matched(target: Session, least_percent: float, parts: Parts) -> None:
    """Refuse a remap that matches too few of the pool's users.

    Args:
        target: the session in which the matches were decided.
        least_percent: how many of the pool's users that have an email must match a row.
        parts: the names in the remap's statements.

    Raises:
        ConfigurationError: fewer match, or no user has an email.
    """
    if not least_percent:
        return
    users, matched = target.row(
        sql.SQL(load_query("update_db", "count_matched_users")).format(**parts)
    )
    if matched * 100 < least_percent * users or not users:
        raise ConfigurationError(
            f"{matched} of {users} users of the pool that have an email match a row, fewer than the"
            f" {least_percent:g}% of min_matched_percent. It looks like another environment's pool,"
            " or another email_column: correct user_pool_id or email_column, or lower the"
            " percentage. Nothing was written."
        )


def unfound(
    target: Session, counts: RemapCounts, pool_users: int, users: UsersTable, parts: Parts
) -> list[Notice]:
    """Return notices about rows that nobody can be found by, and about a remap that found nobody.

    Args:
        target: the session in which the matches were decided.
        counts: what was decided.
        pool_users: how many users the pool has.
        users: the table.
        parts: the names in the remap's statements.
    """
    (masked_otherwise,) = target.row(
        sql.SQL(load_query("update_db", "count_masked_otherwise")).format(**parts)
    )
    masks = _about_masks(masked_otherwise, users) if masked_otherwise else None
    if not counts.matched:
        return _nobody_matched(target, pool_users, users.email_column, masks)
    return [masks] if masks else []


def _about_masks(rows: int, users: UsersTable) -> Notice:
    """Return a notice about rows whose addresses are masked, but not by the rule and the key."""
    if users.masking is None:
        return Notice(
            f"{rows} rows have a masked address, but the remap has no rule (EMAIL_MASK), so that"
            f" nobody is found by it. Name the column {users.email_column} in the mask rules of"
            " cdk.json as in the last sync, or run a sync, which writes the addresses as they are.",
            Topic.LOGINS,
        )
    return Notice(
        f"{rows} rows have an address that was masked by another key, or for a column of another"
        " length, so that nobody is found by it: the last sync is older than the present key. Run"
        ' a sync with {"sync_cognito": true}.',
        Topic.LOGINS,
        RELINK,
    )


def _nobody_matched(
    target: Session, pool_users: int, email_column: str, masks: Notice | None
) -> list[Notice]:
    """Return a notice with the likely reason why no row matches any user of the pool."""
    people, addresses, pool_addresses = target.row(load_query("update_db", "count_addresses"))
    if not people or not pool_users:
        return []
    if not pool_addresses:
        why = "no user of the pool has an email. Look at the pool's attributes, or at user_pool_id."
    elif masks:
        why = masks.text
    elif not addresses:
        why = f"no row has an @ in the column {email_column}. Correct email_column."
    else:
        why = (
            "no address of the pool is in the table. It looks like another application's or"
            " another environment's pool: correct user_pool_id; or like addresses that something"
            " else than the sync has masked."
        )
    text = f"Nobody was matched, though the table and the pool have people: {why}"
    return [Notice(text, Topic.LOGINS, masks.mend if masks else "")]


def look_alikes(near_misses: int) -> list[Notice]:
    """Return a notice about rows that match nobody, but look like an email of the pool."""
    if not near_misses:
        return []
    text = (
        f"{near_misses} near misses: rows whose email looks like one of the pool, but has other"
        " characters: invisible ones, similar ones, or another Unicode form of the same. They were"
        " left as they are; the report names both, and docs/matching.md says what to do."
    )
    return [Notice(text, Topic.LOGINS)]


def notices_of(
    counts: RemapCounts, pool_users: int, *, require_verified: bool, release_mismatched: bool
) -> list[Notice]:
    """Return a notice for each count that a person should look at."""
    mismatched = "lost it" if release_mismatched else "keep it, as release_mismatched is false"
    cases = {
        "The user pool has no users; nothing was updated.": not pool_users,
        f"{counts.skipped_ambiguous} users were left as they are: their email occurs twice, in"
        " the table or among equally good users of the pool.": counts.skipped_ambiguous,
        f"{counts.unlinked} users lost their sub: it belongs to another row.": counts.unlinked,
        f"{counts.mismatched} users held a sub that the pool knows under another email, and"
        f" {mismatched}: whoever has that login found their rows.": counts.mismatched,
    }
    notices = [Notice(text, Topic.LOGINS) for text, happened in cases.items() if happened]
    if counts.unverified_email:
        notices.append(_unverified(counts.unverified_email, are_skipped=require_verified))
    return notices


def _unverified(users: int, *, are_skipped: bool) -> Notice:
    if are_skipped:
        return Notice(
            f"{users} users were skipped: their email is not verified in the pool.", Topic.LOGINS
        )
    return Notice(
        f"{users} users were matched by an email that is not verified: in a pool where people may"
        " edit their address, anybody could claim it. REQUIRE_VERIFIED_EMAIL=true skips them.",
        Topic.LOGINS,
        '"require_verified_email": true',
    )
