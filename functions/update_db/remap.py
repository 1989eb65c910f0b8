"""The remap: each user gets the sub of staging's pool, in one transaction.

docs/matching.md has the rules; `queries/decide.sql` and the files next to it implement them. Each
is one statement for all users. Rows are then updated by their ctid, which nobody else can change
while the table is locked.
"""

import gzip
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, cast

from psycopg2 import sql

from common.errors import SchemaMismatch, VerificationFailed
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
from common.postgres.target import is_marked, lock_target, require_marked
from common.postgres.waits import WAITS, Waits
from update_db import sub_keys
from update_db.findings import look_alikes, require_matched, unfound, warnings_of
from update_db.near_misses import find_near_misses
from update_db.result import RemapCounts, RemapResult
from update_db.sub_keys import Chain
from update_db.users_table import UsersTable

type LoadMapping = Callable[[Session], Manifest]
type SaveReport = Callable[[IO[bytes]], str]

# Of the report: level 9 would make it a tenth smaller, and take ten times as long.
COMPRESSION = 1
BUFFER = 1 << 17  # bytes; COPY writes one line at a time


@dataclass(frozen=True, slots=True)
class RemapOptions:
    """How to remap; `execution` names the run to others that wait for its lock.

    `min_matched_percent`: how many of the pool's users that have an email must match a row.
    """

    execution: str
    users: UsersTable
    require_verified_email: bool = False
    release_mismatched: bool = True
    min_matched_percent: float = 0
    dry_run: bool = False
    deadline: Deadline = field(default_factory=Deadline)
    waits: Waits = WAITS


def remap_users(
    address: DatabaseAddress,
    options: RemapOptions,
    load_mapping: LoadMapping,
    save_report: SaveReport,
) -> RemapResult:
    """Set the users' subs from the mapping, or in a dry run report what would change.

    Args:
        address: the target.
        options: which table, and how.
        load_mapping: fills the pool's temporary table.
        save_report: called with the gzipped CSV report, and returns its address; called before the
            commit, so that nothing is committed without a report.

    Raises:
        StagingSyncError: one of `common.errors`; the target is as it was.
    """
    with connect(address, "target", execution=options.execution, waits=options.waits) as target:
        return twice_at_most(lambda: _run(target, options, load_mapping, save_report), target)


def _run(
    target: Session, options: RemapOptions, load_mapping: LoadMapping, save_report: SaveReport
) -> RemapResult:
    """Do all steps of the remap, in one transaction."""
    warnings = _begin(target, options)
    parts = {
        **options.users.statement_parts(target),
        "require_verified": sql.Literal(options.require_verified_email),
        "release_mismatched": sql.Literal(options.release_mismatched),
    }
    options.deadline.limit("the mapping was loaded", target)
    warnings += warn_of_firing(silence(target))
    if options.users.masking:
        options.users.masking.hand_over(target)
    define(target, load_query("update_db", "create_pool"))
    manifest = load_mapping(target)
    options.deadline.limit("the users were matched", target)
    with naming("table", options.users.name):
        chains = sub_keys.read_chains(target, options.users)
        counts, released = _decide(target, options, parts, chains)
        require_matched(target, options.min_matched_percent, parts)
        warnings += unfound(target, counts, manifest.users, options.users, parts)
        warnings += look_alikes(find_near_misses(target))
        if counts.updated or released:
            _require_no_loss(target, chains, parts, save_report)
        if (counts.updated or released) and not options.dry_run:
            options.deadline.limit("the users were updated", target)
            with default_search_path(target):
                _write(target, counts, released, parts)
    options.deadline.limit("the report was written", target)
    report = _report(target, save_report)
    if options.dry_run:
        target.rollback()
    else:
        commit(target)
    warnings += manifest.warnings
    warnings += warnings_of(
        counts,
        manifest.users,
        require_verified=options.require_verified_email,
        release_mismatched=options.release_mismatched,
    )
    for warning in warnings:
        logger.warning("remap needs a look", warning=warning, report=report)
    logger.info("remapped", is_dry_run=options.dry_run, counts=counts.output(), report=report)
    return RemapResult(counts, tuple(warnings), report)


def _begin(target: Session, options: RemapOptions) -> list[str]:
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
        return ["The target is not marked as a sync target: a remap that writes will refuse it."]
    require_marked(target)
    lock_target(target)
    return []


def _decide(
    target: Session, options: RemapOptions, parts: dict[str, sql.Composable], chains: list[Chain]
) -> tuple[RemapCounts, int]:
    """Decide what happens to every row and every user of the pool.

    Returns:
        The counts, and how many rows lose their sub because it belongs to another row or user.
    """
    define(target, load_query("update_db", "create_decisions"))
    define(target, load_query("update_db", "create_looks"))
    target.execute(load_query("update_db", "drop_relisted"))
    if options.dry_run:
        target.execute("SET TRANSACTION READ ONLY")  # temporary tables stay writable
    else:
        tables = {options.users.name} | sub_keys.tables_on_the_way(chains)
        locks.lock_tables(target, sorted(tables), locks.EXCLUSIVE)
    with default_search_path(target):  # for names in the condition users_where
        target.execute(_statement("decide", parts))
        target.execute("ANALYZE pg_temp.staging_sync_decisions (status, old_sub, new_sub)")
        target.execute(load_query("update_db", "decide_unlinked"))
        if options.users.where:
            target.execute(_statement("decide_outsiders", parts))
    counts, released = _count(target)
    # If nobody matches at all, a setting is wrong and not the rows.
    if counts.matched and target.execute(_statement("decide_mismatched", parts)):
        counts, released = _count(target)
    return counts, released


def _count(target: Session) -> tuple[RemapCounts, int]:
    """Return how many rows each case has, and how many rows lose a sub that is another's."""
    (found,) = target.records(load_query("update_db", "count_decisions"), None, dict[str, int])
    released = found.pop("released")
    return RemapCounts(**found), released


def _require_no_loss(
    target: Session,
    chains: list[Chain],
    parts: dict[str, sql.Composable],
    save_report: SaveReport,
) -> None:
    """Refuse changes by which rows of other tables would no longer refer to their person.

    Raises:
        SchemaMismatch: names every foreign key; the report, written even so, names the people.
    """
    if losses := sub_keys.find_losses(target, chains, parts["unlinked"]):
        raise SchemaMismatch(sub_keys.explained(losses, _report(target, save_report)))


def _write(
    target: Session, counts: RemapCounts, released: int, parts: dict[str, sql.Composable]
) -> None:
    """Take subs away from rows that do not own them, then set the new ones.

    Raises:
        VerificationFailed: a matched row does not have its sub, or another row has it too.
    """
    if released:
        target.execute(_statement("release_subs", parts))
    if target.execute(_statement("set_subs", parts)) < counts.updated:
        target.execute(_statement("set_moved_subs", parts))
    target.execute("SET CONSTRAINTS ALL IMMEDIATE")  # deferred triggers and checks run here
    matched = counts.updated + counts.unchanged
    holders, right = target.row(_statement("count_holders", parts))
    if not matched == holders == right:
        raise VerificationFailed(
            f"{matched} users were matched; after the update {right} of them have their sub, and"
            f" {holders - right} other rows have one of these. Everything was rolled back. Look for"
            " a trigger or rule on the users table that suppresses or changes updates."
        )


def _statement(name: str, parts: dict[str, sql.Composable]) -> sql.Composed:
    return sql.SQL(load_query("update_db", name)).format(**parts)


def _report(target: Session, save_report: SaveReport) -> str:
    """Write the report through a temporary file: it may not fit into memory."""
    with tempfile.TemporaryFile() as file:
        with (
            gzip.open(file, "wb", compresslevel=COMPRESSION) as zipped,
            io.BufferedWriter(cast(io.RawIOBase, zipped), BUFFER) as content,
        ):
            statement = _statement("write_report", {"encoding": sql.Literal(target.copy_encoding)})
            target.copy_out(statement, content)
        return save_report(file)
