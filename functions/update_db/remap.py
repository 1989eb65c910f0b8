"""The remap: each user gets the sub of staging's pool, in one transaction.

docs/matching.md has the rules; `queries/decide.sql` and the files next to it implement them. Each
is one statement for all users. Rows are then updated by their ctid, which nobody else can change
while the table is locked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from psycopg2 import sql

from common.errors import SchemaMismatch
from common.follow.rules import FollowRules
from common.log import logger
from common.manifest import Manifest
from common.postgres.commits import commit
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from common.postgres.deadline import Deadline
from common.postgres.locking import locks
from common.postgres.locking.deadlocks import twice_at_most
from common.postgres.naming import naming
from common.postgres.queries import load_query
from common.postgres.settings.event_triggers import silence, warn_of_firing
from common.postgres.settings.function_names import default_search_path
from common.postgres.settings.privileged_settings import WRITING, require_privileged
from common.postgres.settings.replication_role import define
from common.postgres.target import is_marked, lock_target, not_marked, require_marked
from common.postgres.waits import WAITS, Waits
from common.reports.notices import Notice, Topic
from common.reports.remap import RemapCounts, RemapResult
from update_db.findings import look_alikes, notices_of, require_matched, unfound
from update_db.follower_rights import require_recreatable, require_writable
from update_db.follower_search import read_followers
from update_db.followers import Followers
from update_db.following import FollowerWriter
from update_db.masked_emails import Parts
from update_db.moves import Following, Limit, find_following, nothing_follows
from update_db.near_misses import find_near_misses
from update_db.report import SaveReport, write_report
from update_db.statements import planned_with, statement
from update_db.users_table import UsersTable
from update_db.writing import UsersWriter

type LoadMapping = Callable[[Session], Manifest]

# The tables with the decisions, see create_decisions.sql.
UNCHANGED, OTHERS = map(sql.Identifier, ("staging_sync_unchanged", "staging_sync_others"))


@dataclass(frozen=True, slots=True)
class RemapOptions:
    """How to remap; `execution` names the run to others that wait for its lock.

    `min_matched_percent`: how many of the pool's users that have an email must match a row.
    `follow`: which columns follow, besides those that foreign keys show.
    """

    execution: str
    users: UsersTable
    require_verified_email: bool = False
    release_mismatched: bool = True
    min_matched_percent: float = 0
    follow: FollowRules = field(default_factory=FollowRules)
    dry_run: bool = False
    deadline: Deadline = field(default_factory=Deadline)
    waits: Waits = WAITS


def remap_users(
    address: DatabaseAddress,
    options: RemapOptions,
    load_mapping: LoadMapping,
    save_report: SaveReport,
    save_result: Callable[[RemapResult], None] = lambda _: None,
) -> RemapResult:
    """Set the users' subs from the mapping, or in a dry run report what would change.

    Args:
        address: the target.
        options: which table, and how.
        load_mapping: fills the pool's temporary table.
        save_report: called with the gzipped CSV report, and returns its address; called before the
            commit, so that nothing is committed without a report.
        save_result: called with the result, before the commit too.

    Raises:
        StagingSyncError: one of `common.errors`; the target is as it was.
    """
    with connect(address, "target", execution=options.execution, waits=options.waits) as target:
        return twice_at_most(
            lambda: _run(target, options, load_mapping, save_report, save_result), target
        )


def _run(
    target: Session,
    options: RemapOptions,
    load_mapping: LoadMapping,
    save_report: SaveReport,
    save_result: Callable[[RemapResult], None],
) -> RemapResult:
    """Do all steps of the remap, in one transaction."""
    began = datetime.now(UTC)
    notices = _begin(target, options)
    followers, parts = _prepare(target, options)
    options.deadline.limit("the mapping was loaded", target)
    notices += warn_of_firing(silence(target))
    if options.users.masking:
        options.users.masking.hand_over(target)
    define(target, load_query("update_db", "create_pool"))
    manifest = load_mapping(target)
    options.deadline.limit("the users were matched", target)
    following = nothing_follows(followers)
    with naming("table", options.users.name):
        counts, released = _decide(target, options, parts, followers)
        require_matched(target, options.min_matched_percent, parts)
        notices += unfound(target, counts, manifest.users, options.users, parts)
        notices += look_alikes(find_near_misses(target))
    if counts.updated or released:
        following = _foresee(target, options, followers, save_report)
        if not options.dry_run:
            users = UsersWriter(target, options.users, counts, released, parts)
            _write(target, options, users, following)
    options.deadline.limit("the report was written", target)
    report = write_report(target, following.counts, save_report)
    notices += [Notice(text, Topic.LOGINS) for text in manifest.warnings]
    notices += notices_of(
        counts,
        manifest.users,
        require_verified=options.require_verified_email,
        release_mismatched=options.release_mismatched,
    )
    result = RemapResult(
        counts,
        following.counts,
        tuple(notices),
        people=report,
        pool_users=manifest.users,
        dry_run=options.dry_run,
        started_at=began.isoformat(timespec="milliseconds"),
        duration_seconds=round((datetime.now(UTC) - began).total_seconds(), 3),
    )
    save_result(result)
    if options.dry_run:
        target.rollback()
    else:
        commit(target)
    _log(result)
    return result


def _log(result: RemapResult) -> None:
    for warning in result.warnings:
        logger.warning("remap needs a look", warning=warning, report=result.people)
    logger.info(
        "remapped",
        is_dry_run=result.dry_run,
        counts=result.counts.output(),
        followers=result.followers,
        report=result.people,
    )


def _begin(target: Session, options: RemapOptions) -> list[Notice]:
    """Begin the transaction, check that the target may be written, and take its lock."""
    options.deadline.limit("the target was checked", target)
    target.begin()
    target.learn_names()
    require_privileged(target, WRITING)
    target.execute(load_query("update_db", "set_memory"))
    if options.dry_run:
        lock_target(target)
        if is_marked(target):
            return []
        return [not_marked(target, "remap")]
    require_marked(target)
    lock_target(target)
    return []


def _prepare(target: Session, options: RemapOptions) -> tuple[Followers, Parts]:
    """Check the users table and what follows it; return that, and the statements' parts."""
    parts = {
        **options.users.statement_parts(target),
        "require_verified": sql.Literal(options.require_verified_email),
        "release_mismatched": sql.Literal(options.release_mismatched),
    }
    followers = read_followers(target, options.users, options.follow)
    require_writable(target, followers.tables)
    return followers, {**parts, **followers.parts_of_unlinked(parts)}


def _decide(
    target: Session, options: RemapOptions, parts: Parts, followers: Followers
) -> tuple[RemapCounts, int]:
    """Decide what happens to every row and every user of the pool.

    Returns:
        The counts, and how many rows lose their sub because it belongs to another row or user.
    """
    define(target, load_query("update_db", "create_decisions"))
    define(target, load_query("update_db", "create_looks"))
    define(target, load_query("update_db", "create_moves"))
    if target.row(load_query("update_db", "is_relisted"))[0]:
        target.execute(load_query("update_db", "drop_relisted"))
    if options.dry_run:
        target.execute("SET TRANSACTION READ ONLY")  # temporary tables stay writable
    else:
        tables = {options.users.name} | followers.tables
        locks.lock_tables(target, sorted(tables), locks.EXCLUSIVE)
    with default_search_path(target):  # for names in the condition users_where
        with planned_with(target, enable_hashjoin="off"):
            target.execute(statement("decide", parts))
        target.execute("ANALYZE pg_temp.staging_sync_others (status, old_sub, new_sub)")
        target.execute(load_query("update_db", "decide_unlinked"))
        if options.users.where:
            target.execute(statement("decide_outsiders", parts))
    unchanged, others = (_count(target, each) for each in (UNCHANGED, OTHERS))
    counts, released = _total(unchanged, others)
    # If nobody matches at all, a setting is wrong and not the rows.
    if counts.matched and target.execute(statement("decide_mismatched", parts)):
        counts, released = _total(unchanged, _count(target, OTHERS))
    if released:
        target.execute(statement("decide_unlinked_values", parts))
    return counts, released


def _count(target: Session, decisions: sql.Identifier) -> dict[str, int]:
    """Return how many decisions of each kind one of their tables has."""
    query = statement("count_decisions", {"decisions": decisions})
    (found,) = target.records(query, None, dict[str, int])
    return found


def _total(*found: dict[str, int]) -> tuple[RemapCounts, int]:
    """Return how many rows each case has, and how many rows lose a sub that is another's."""
    total = {name: sum(counts[name] for counts in found) for name in found[0]}
    released = total.pop("released")
    return RemapCounts(**total), released


def _foresee(
    target: Session, options: RemapOptions, followers: Followers, save_report: SaveReport
) -> Following:
    """Return what follows the changes that were decided.

    Raises:
        ConfigurationError: our role may not drop and create the foreign keys that are in the way.
        SchemaMismatch: nobody knows whose some rows are; the report, written even so, names them.
            Or rows refer to a sub and write it in another way.
    """
    if not followers.columns:
        return nothing_follows(followers)
    with default_search_path(target):
        following = find_following(target, followers, _limit(target, options))
    if shared := following.shared_ones:
        report = write_report(target, {}, save_report)
        raise SchemaMismatch(
            f"Several rows of {options.users.name} have the same sub, of which some get another"
            f" one, so that nobody knows whom these follow: {shared}. {report} has the rows with"
            " their subs (old_sub): correct all but one of each. Nothing was written."
        )
    if unlike := following.unlike_ones:
        raise SchemaMismatch(
            "Rows refer to a sub that changes, but do not write it letter by letter as the user's"
            f" row does, so that they would not follow: {unlike}. Correct them. Nothing was"
            " written."
        )
    require_recreatable(target, following.keys)
    return following


def _write(
    target: Session, options: RemapOptions, users: UsersWriter, following: Following
) -> None:
    """Write what was decided, and verify it."""
    rows = FollowerWriter(target, following, _limit(target, options))
    rows.drop_keys()
    options.deadline.limit("the users were updated", target)
    with default_search_path(target):
        with naming("table", options.users.name):
            users.write()
        rows.write()
        target.execute("SET CONSTRAINTS ALL IMMEDIATE")  # deferred triggers and checks run here
    rows.create_keys()
    with default_search_path(target):
        with naming("table", options.users.name):
            users.verify()
        rows.verify()


def _limit(target: Session, options: RemapOptions) -> Limit:
    return lambda doing: options.deadline.limit(doing, target)
