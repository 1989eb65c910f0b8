"""How large the tables of both sides are, and how long it takes to compare and to write them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from common.postgres.database import Session
from common.postgres.queries import load_query
from common.postgres.settings.function_names import catalog_records
from db_sync.pace import Work
from db_sync.plan.tables import Plan, TablePlan
from db_sync.run import Run, SyncOptions
from db_sync.tuning import Rates

SURE = 0.2  # of the time: what needs less will fit, even if it is much slower than assumed
FIRST_LOAD = 0.01  # of the source's rows: a target with fewer of them has nothing to protect


class Size(NamedTuple):
    """A table's size, without its indexes; `blocks` are those of its largest partition."""

    oid: int
    bytes: int
    blocks: int
    rows: int  # estimated


class Sizes(NamedTuple):
    """A table's size on both sides."""

    source: Size
    target: Size

    @property
    def to_compare(self) -> int:
        """The bytes that are read, at the same time on both sides; none where one is empty."""
        if not (self.source.blocks and self.target.blocks):
            return 0
        return max(self.source.bytes, self.target.bytes)

    @property
    def to_write(self) -> int:
        """The bytes that are written at least: those that the target lacks.

        Whether its rows are the source's is not known before they are compared.
        """
        return max(0, self.source.bytes - self.target.bytes)

    def seconds(self, rates: Rates) -> float:
        """Return how long it takes to make the table equal, at least."""
        return self.to_compare / rates.compare + self.to_write / rates.write


def may_be_divided(options: SyncOptions, sizes: Collection[Sizes]) -> bool:
    """Return whether a sync may be done in parts: always, or if there is nothing to protect yet.

    That is, if the target has hardly any rows, as after its migrations and before its first load;
    or if it is in between already.
    """
    if options.dry_run or options.in_parts != "first_load":
        return not options.dry_run and options.in_parts == "when_needed"
    in_source = sum(size.source.blocks for size in sizes)
    in_target = sum(size.target.blocks for size in sizes)
    return in_target <= FIRST_LOAD * in_source or options.is_first_load_unfinished()


def watch(run: Run, plan: Plan) -> None:
    """Let the run be given up as soon as it is seen not to fit, if it may be divided then."""
    options = run.options
    if options.in_parts == "never" or options.dry_run or options.deadline.at is None:
        return
    sizes = measure(run.source, run.target, plan.tables)
    needed = sum(size.seconds(options.tuning.rates) for size in sizes.values())
    if needed < SURE * options.deadline.seconds_left:
        return
    if may_be_divided(options, sizes.values()):
        work = {
            table.name: Work(size.to_compare, size.to_write)
            for table in plan.tables
            for size in [sizes[table.target.oid]]
        }
        run.pace.begin(options.deadline, options.tuning.rates, work)


def measure(source: Session, target: Session, plans: Sequence[TablePlan]) -> Mapping[int, Sizes]:
    """Return the tables' sizes by the target's oids; both sessions are in a transaction."""
    ours = _measure(source, [plan.source.oid for plan in plans])
    theirs = _measure(target, [plan.target.oid for plan in plans])
    return {
        plan.target.oid: Sizes(ours[plan.source.oid], theirs[plan.target.oid]) for plan in plans
    }


def _measure(session: Session, oids: list[int]) -> dict[int, Size]:
    query = load_query("db_sync/parts", "measure_tables")
    return {size.oid: size for size in catalog_records(session, query, [oids], Size)}
