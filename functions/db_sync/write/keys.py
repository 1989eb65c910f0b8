"""The foreign keys of one sync: what it would do to each, and what is done about it.

Under `session_replication_role = replica` they do nothing, and what our writes might break is
counted. Otherwise they stay in place where an order of writing satisfies them and no other row
would be touched; or they are dropped and created again in the same transaction, which checks them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from psycopg2 import sql

from common.postgres.foreign_keys import ForeignKey
from db_sync.compare.outcomes import Compared, Replace
from db_sync.compare.ranges import Ranges
from db_sync.compare.verify import verify_all_rows
from db_sync.plan.catalog import Catalog
from db_sync.plan.snapshot import Snapshot
from db_sync.plan.tables import TablePlan
from db_sync.run import Run
from db_sync.write import foreign_keys, staging, triggers
from db_sync.write.breaches import Breach, Judge
from db_sync.write.copy_rows import copy_rows
from db_sync.write.order import keys_to_drop
from db_sync.write.orphans import Prospect, Writing, count_orphans, foresee


class Keys:
    """The foreign keys from or to the tables that differ."""

    def __init__(self, run: Run, compared: Compared, snapshot: Snapshot, target: Catalog) -> None:
        """Set `session_replication_role` where the role may, for the rest of the transaction."""
        self._run = run
        self._compared = compared
        self._synced = {plan.target.oid for plan in snapshot.plan.tables}
        self._keys = foreign_keys.foreign_keys_on(target, compared.plans)
        self._are_silent = triggers.act_as_replica_for(run.target, compared.plans)
        self._judge = Judge(snapshot.catalog, snapshot.plan.tables, is_checked=not self._are_silent)
        self._prospects: list[Prospect] = []
        self.dropped: list[ForeignKey] = []

    @property
    def in_place(self) -> list[ForeignKey]:
        """Those that are there while rows are written."""
        return [key for key in self._keys if key not in self.dropped]

    @property
    def in_force(self) -> list[ForeignKey]:
        """Those that act and check while rows are written."""
        return [] if self._are_silent else self.in_place

    def foresee(self, writing: Writing, known: Sequence[Breach] = ()) -> list[str]:
        """See what the writing would do to each key, and decide which must be dropped.

        Args:
            writing: what is to be written.
            known: breaches that were found otherwise.

        Returns:
            Warnings.

        Raises:
            SchemaMismatch: rows would break keys.
        """
        target = self._run.target
        self._run.limit("it was seen what becomes of the foreign keys")
        self._prospects = [foresee(target, key, writing) for key in self._keys]
        warnings = self._judge.judge(
            [
                *known,
                *(
                    Breach(prospect.key, prospect.orphans)
                    for prospect in self._prospects
                    if prospect.orphans and prospect.key.is_valid
                ),
            ]
        )
        if self._are_silent:
            # What a period covers is PostgreSQL's to check.
            self.dropped = [key for key in self._unforeseen() if key.is_period]
        else:
            self.dropped = keys_to_drop(target, self._prospects, writing.merges, self._synced)
        return warnings

    @contextmanager
    def dropped_meanwhile(self) -> Iterator[None]:
        """Drop the keys that must be dropped, and create them again after the with statement.

        Raises:
            SchemaMismatch: rows break keys.
        """
        foreign_keys.drop(self._run.target, self.dropped)
        yield
        self._run.limit("the foreign keys were created again")
        self._judge.judge(foreign_keys.create(self._run.target, self.dropped))

    def check(self) -> list[str]:
        """Check what nothing has checked so far.

        Returns:
            Warnings.

        Raises:
            SchemaMismatch: rows break keys.
            VerificationFailed: an action of a key changed rows that were to stay.
        """
        self._run.limit("the foreign keys were checked")
        self._verify_reached()
        if not self._are_silent:
            return []
        return self._judge.judge(
            Breach(key, orphans)
            for key in self._unforeseen()
            if key not in self.dropped and (orphans := count_orphans(self._run.target, key))
        )

    def create_stages(self, replacements: Mapping[int, Replace]) -> list[TablePlan]:
        """Create stages for a dry run, which knows no new row of tables that are replaced.

        Only of tables with a key that production does not have itself; they take the columns of all
        keys.

        Returns:
            Those tables, with these columns.
        """
        columns: dict[int, set[str]] = defaultdict(set)
        unproven = [key for key in self._keys if key.is_valid and not self._judge.find_twin(key)]
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
            self._run.target.execute(sql.SQL("ANALYZE {}").format(stage))
            staged[plan.target.oid] = stage
        return staged

    def count_in_source(self, replacements: Mapping[int, Replace]) -> list[Breach]:
        """Return which keys of tables that are replaced production's rows break.

        For a dry run. Production has these keys itself, so that it can tell.
        """
        breaches: list[Breach] = []
        for key in self._keys:
            twin = self._judge.find_twin(key)
            if (
                twin
                and key.is_valid
                and not key.is_period
                and replacements.keys() & {key.child_root, key.parent_root}
            ):
                self._run.limit(f"the foreign key {key.name} was checked in the source")
                if orphans := count_orphans(self._run.source, twin):
                    breaches.append(Breach(key, orphans))
        return breaches

    def _unforeseen(self) -> list[ForeignKey]:
        """Return the keys that are valid, and of which nobody knows yet whether they hold."""
        return [each.key for each in self._prospects if each.orphans is None and each.key.is_valid]

    def _verify_reached(self) -> None:
        """See that the keys in place whose parents left have touched no row of their children.

        The parts of a table that were written are verified anyway; here is the rest of it.
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
