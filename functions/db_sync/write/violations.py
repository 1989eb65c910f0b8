"""Foreign keys of the target that rows would violate: why, and whether the sync must fail."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from common.errors import SchemaMismatch
from common.postgres.foreign_keys import ForeignKey
from common.postgres.names import Name
from common.reports.notices import Notice
from db_sync.plan.catalog import Catalog
from db_sync.plan.tables import TablePlan


class Violation(NamedTuple):
    """A foreign key, and how many rows lack their parent."""

    key: ForeignKey
    orphans: int


class Cause(NamedTuple):
    """Why rows lack their parent, and what to do about it.

    `warning` is set where such rows are acceptable as long as PostgreSQL does not check the key,
    since production has them too, or the sync does not write them. It is the text to add.
    """

    reason: str
    remedy: str
    warning: str | None = None


class Judge:
    """Decides which violations are acceptable, and explains them, for one sync."""

    def __init__(
        self,
        source: Catalog,
        plans: list[TablePlan],
        *,
        is_checked: bool,
        so_far: str = "Nothing was written.",
    ) -> None:
        """Know the source's catalog and the tables that are synced.

        Args:
            source: the catalog.
            plans: of the tables.
            is_checked: whether PostgreSQL itself will check the keys, so that no violation is
                acceptable.
            so_far: what was done, as a sentence for an error.
        """
        self._source = source
        self._plans = {plan.target.oid: plan for plan in plans}
        self._is_checked = is_checked
        self._so_far = so_far

    def judge(self, violations: Iterable[Violation]) -> list[Notice]:
        """Return a notice for each violation that is acceptable.

        Raises:
            SchemaMismatch: some are not; it lists each of them, and what to do.
        """
        found = [(violation, self._cause(violation.key)) for violation in violations]
        refused = [
            (violation, cause)
            for violation, cause in found
            if self._is_checked or cause.warning is None
        ]
        if refused:
            told = "; ".join(_told(violation) + cause.reason for violation, cause in refused)
            remedies = " ".join(dict.fromkeys(cause.remedy for _, cause in refused))
            raise SchemaMismatch(
                f"Foreign keys of the target would not hold: {told}. {self._so_far} {remedies}"
            )
        return [Notice(f"{_told(violation)}.{cause.warning}") for violation, cause in found]

    def find_equal_in_source(self, key: ForeignKey) -> ForeignKey | None:
        """Return production's own foreign key that demands the same of the same columns, if any."""
        if {key.child_root, key.parent_root} <= self._plans.keys() and not self._kept(key):
            for other in self._source.foreign_keys:
                if other.says_the_same_as(key):
                    return other
        return None

    def _cause(self, key: ForeignKey) -> Cause:
        left_alone = {
            str(name)
            for name, root in ((key.child, key.child_root), (key.parent, key.parent_root))
            if root not in self._plans
        }
        if left_alone:
            return Cause(
                f" ({' and '.join(sorted(left_alone))} is not synced)",
                "Sync both tables of such a key, delete those rows in the target, or drop the"
                " foreign key there.",
                warning="",
            )
        if followed := self._followed(key):
            return Cause(
                f' (in staging, to which the "keep" rule leaves it, they belong to people who have'
                f" no {followed} there)",
                "Give these people one that nobody has, such as 'unlinked:' and their key.",
            )
        if kept := self._kept(key):
            return Cause(
                f' (the "keep" rule leaves {", ".join(kept)} to the target: production\'s rows'
                " are right, but a value that refers to a kept one does not follow it)",
                "Exclude the table that refers to a kept column, or drop its foreign key in the"
                " target.",
            )
        if self.find_equal_in_source(key):
            return Cause(
                " (production's rows break its own key in the same way)",
                "Correct production's rows, or drop the foreign key in the target.",
                warning=" Production's rows break its own key in the same way.",
            )
        return Cause(
            " (production has no foreign key that says the same)",
            "Exclude the table, or drop the foreign key in the target.",
        )

    def _followed(self, key: ForeignKey) -> str | None:
        """Return the kept column that a key's rows follow, if they do."""
        plan = self._plans.get(key.parent_root)
        followed = {column.name for column in plan.kept if column.followed_as} if plan else set()
        return next((name for name in key.parent_columns if name in followed), None)

    def _kept(self, key: ForeignKey) -> list[str]:
        """Return the columns of a key that belong to the target by the keep rule."""
        sides = (
            (key.child, key.child_root, key.columns),
            (key.parent, key.parent_root, key.parent_columns),
        )
        return [kept for side in sides for kept in self._kept_of(*side)]

    def _kept_of(self, table: Name, root: int, columns: tuple[str, ...]) -> Iterator[str]:
        plan = self._plans.get(root)
        kept = {column.name for column in plan.kept} if plan else set()
        return (f"{table}.{column}" for column in columns if column in kept)


def _told(violation: Violation) -> str:
    key = violation.key
    return (
        f"{violation.orphans} rows of {key.child} break its foreign key {key.name} to {key.parent}"
    )
