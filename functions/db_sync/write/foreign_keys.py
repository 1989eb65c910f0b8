"""The target's foreign keys: what a sync would do to each, and what is done about it.

Under `session_replication_role = replica` they neither check nor act, and queries count the rows
that our writes leave without a parent. Otherwise a foreign key stays in place where some order of
writing satisfies it and no other row would be touched; if there is none, it is dropped and created
again in the same transaction, which checks all rows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from psycopg2 import sql

from common.postgres.foreign_keys import ForeignKey
from common.postgres.orphans import count_orphans
from common.postgres.recreated_keys import create_again, drop_key
from common.reports.notices import Notice
from db_sync.compare.outcomes import Compared, Replace
from db_sync.compare.ranges import Ranges
from db_sync.compare.verify import verify_all_rows
from db_sync.follow.staged import give_own_subs
from db_sync.plan.catalog import Catalog
from db_sync.plan.tables import Plan, TablePlan
from db_sync.run import Run
from db_sync.write import staging, triggers
from db_sync.write.copy_rows import copy_rows
from db_sync.write.order import keys_to_drop
from db_sync.write.orphans import Prospect, Writing, foresee
from db_sync.write.violations import Judge, Violation


class ForeignKeys:
    """Those from or to the tables that differ."""

    def __init__(self, run: Run, compared: Compared, plan: Plan) -> None:
        """Set `session_replication_role` for the rest of the transaction, if the role may."""
        self._run = run
        self._compared = compared
        self._synced = plan.synced
        self._keys = _keys_on(plan.catalogs.target, compared.plans)
        self._are_silent = triggers.act_as_replica_for(run.target, compared.plans)
        self._judge = Judge(plan.catalogs.source, plan.tables, is_checked=not self._are_silent)
        self._prospects: list[Prospect] = []
        self.dropped: list[ForeignKey] = []

    @property
    def in_place(self) -> list[ForeignKey]:
        """Those that exist while rows are written."""
        return [key for key in self._keys if key not in self.dropped]

    @property
    def in_force(self) -> list[ForeignKey]:
        """Those that act and check while rows are written."""
        return [] if self._are_silent else self.in_place

    def foresee(self, writing: Writing, known: Sequence[Violation] = ()) -> list[Notice]:
        """Find out what the writing would do to each key, and decide which must be dropped.

        Args:
            writing: what is to be written.
            known: violations that were already found in another way.

        Returns:
            Notices.

        Raises:
            SchemaMismatch: rows would violate keys.
        """
        target = self._run.target
        self._run.limit("it was seen what becomes of the foreign keys")
        self._prospects = [foresee(target, key, writing) for key in self._keys]
        notices = self._judge.judge(
            [
                *known,
                *(
                    Violation(prospect.key, prospect.orphans)
                    for prospect in self._prospects
                    if prospect.orphans and prospect.key.is_valid
                ),
            ]
        )
        if self._are_silent:
            # Only PostgreSQL itself can check what a period covers.
            self.dropped = [key for key in self._unforeseen() if key.is_period]
        else:
            self.dropped = keys_to_drop(target, self._prospects, writing.merges, self._synced)
        return notices

    @contextmanager
    def dropped_meanwhile(self) -> Iterator[None]:
        """Drop the keys that must be dropped, and create them again after the with statement.

        Raises:
            SchemaMismatch: rows violate keys.
        """
        for key in self.dropped:
            drop_key(self._run.target, key)
        yield
        self._run.limit("the foreign keys were created again")
        self._judge.judge(
            Violation(key, orphans)
            for key in self.dropped
            if (orphans := create_again(self._run.target, key))
        )

    def check(self) -> list[Notice]:
        """Check the keys that nothing has checked so far.

        Returns:
            Notices.

        Raises:
            SchemaMismatch: rows violate keys.
            VerificationFailed: a key's action changed rows that should have stayed as they were.
        """
        self._run.limit("the foreign keys were checked")
        self._verify_reached()
        if not self._are_silent:
            return []
        return self._judge.judge(
            Violation(key, orphans)
            for key in self._unforeseen()
            if key not in self.dropped and (orphans := count_orphans(self._run.target, key))
        )

    def create_stages(self, replacements: Mapping[int, Replace]) -> list[TablePlan]:
        """Create stages for a dry run, which does not fetch the rows of tables that are replaced.

        Only for tables with a foreign key that production lacks. They hold the columns of all keys.

        Returns:
            Those tables, with these columns.
        """
        columns: dict[int, set[str]] = defaultdict(set)
        unproven = [
            key for key in self._keys if key.is_valid and not self._judge.find_equal_in_source(key)
        ]
        tables = {oid for key in unproven for oid in (key.child_root, key.parent_root)}
        for key in self._keys:
            columns[key.child_root].update(key.columns)
            columns[key.parent_root].update(key.parent_columns)
        plans = [
            replace(
                table.plan,
                compared=tuple(
                    column
                    for column in table.plan.compared + table.plan.kept
                    if column.name in columns[oid]
                ),
                kept=(),
            )
            for oid, table in replacements.items()
            if oid in tables
        ]
        for plan in plans:
            staging.create_stage(self._run.target, plan)
        return plans

    def fill_stages(self, plans: list[TablePlan]) -> dict[int, sql.Composable]:
        """Copy the source's rows into the stages; return these by the tables' oids."""
        staged: dict[int, sql.Composable] = {}
        for plan in self._run.each("stage", plans):
            self._run.limit(f"the rows of {plan.name} were staged")
            stage = staging.stage_of(plan)
            copy_rows(self._run, Ranges(plan), None, stage)
            give_own_subs(self._run, plan, stage)
            self._run.target.execute(sql.SQL("ANALYZE {}").format(stage))
            staged[plan.target.oid] = stage
        return staged

    def count_in_source(self, replacements: Mapping[int, Replace]) -> list[Violation]:
        """Return which keys of tables that are replaced production's own rows violate.

        For a dry run, and for keys that production has too, so that it can be asked.
        """
        violations: list[Violation] = []
        for key in self._keys:
            twin = self._judge.find_equal_in_source(key)
            if (
                twin
                and key.is_valid
                and not key.is_period
                and replacements.keys() & {key.child_root, key.parent_root}
            ):
                self._run.limit(f"the foreign key {key.name} was checked in the source")
                if orphans := count_orphans(self._run.source, twin):
                    violations.append(Violation(key, orphans))
        return violations

    def _unforeseen(self) -> list[ForeignKey]:
        """Return the valid keys for which it is not yet known whether rows violate them."""
        return [each.key for each in self._prospects if each.orphans is None and each.key.is_valid]

    def _verify_reached(self) -> None:
        """Verify that keys whose parents were deleted have changed no other rows.

        What was written is verified anyway; this verifies the rest of those tables.
        """
        in_force = set(self.in_force)
        reached = {
            prospect.key.child_root
            for prospect in self._prospects
            if prospect.loses_parents and prospect.key.acts_on_delete and prospect.key in in_force
        }
        for same in self._compared.same:
            if same.ranges.plan.target.oid in reached:
                verify_all_rows(self._run, same.ranges, same.totals)
        for table in self._compared.differences:
            if table.plan.target.oid in reached and table.comparison is not None:
                verify_all_rows(self._run, table.ranges, table.comparison.source)


def _keys_on(catalog: Catalog, plans: list[TablePlan]) -> list[ForeignKey]:
    """Return the foreign keys from or to some tables."""
    written = {plan.target.oid for plan in plans}
    return [key for key in catalog.foreign_keys if written & {key.child_root, key.parent_root}]
