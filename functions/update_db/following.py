"""Writing what follows: rows that hold a sub that moves get the new one, whatever refers to it.

The foreign keys by which they refer to it are dropped before, and created again when all is
written: no action of theirs then touches a row, and PostgreSQL checks all rows. Each table is
written by one statement, so that exchanged subs are right; by two, where a sub goes to somebody
else, which a unique constraint could refuse otherwise.
"""

from psycopg2 import sql

from common.errors import SchemaMismatch, VerificationFailed
from common.follow.substitution import substitute
from common.postgres.database import Session
from common.postgres.locking import locks
from common.postgres.names import Name
from common.postgres.naming import naming
from common.postgres.recreated_keys import create_again, drop_key
from update_db.followers import FollowingColumn
from update_db.moves import ASIDE, FORTH, Following, Limit, parts_of
from update_db.statements import statement
from update_db.writes import Writes, count_writes


class FollowerWriter:
    """Writes what follows in one transaction; its methods are called in this order."""

    def __init__(self, target: Session, following: Following, limit: Limit) -> None:
        """Write in the session in which it was found what follows."""
        self._target = target
        self._following = following
        self._limit = limit
        self._before: dict[Name, Writes] = {}

    def drop_keys(self) -> None:
        """Drop the foreign keys that are in the way, for which their tables are locked.

        Raises:
            TargetBusy: a lock was not granted in time.
        """
        following = self._following
        if following.moves:
            self._before = {
                table: count_writes(self._target, table) for table in following.followers.tables
            }
        locks.lock_tables(self._target, sorted(following.tables_of_keys), locks.ACCESS_EXCLUSIVE)
        for key in following.keys:
            drop_key(self._target, key)

    def write(self) -> None:
        """Give the rows their new subs."""
        for table, columns in self._following.written.items():
            self._limit(f"what follows in {table} was written")
            subs = [column.sub for column in columns]
            with naming("table", table):
                if self._following.goes_aside:
                    self._target.execute(substitute(columns[0].rows, subs, ASIDE))
                self._target.execute(substitute(columns[0].rows, subs, FORTH))

    def create_keys(self) -> None:
        """Create the foreign keys again as they were, which checks all rows.

        Raises:
            SchemaMismatch: rows refer to nobody.
        """
        violations: list[str] = []
        for key in self._following.keys:
            self._limit(f"the foreign key {key.name} was created again")
            if orphans := create_again(self._target, key):
                violations.append(
                    f"{orphans} rows of {key.child} by {key.name} ({', '.join(key.columns)})"
                )
        if violations:
            raise SchemaMismatch(
                "Rows that refer to users by foreign keys would refer to nobody after the remap:"
                f" {'; '.join(violations)}. Everything was rolled back. A generated column cannot"
                ' follow: name the columns that it is generated from in the rule "follow", or drop'
                " the key."
            )

    def verify(self) -> None:
        """Check that each sub is held as often as what became it was before, and none is left.

        Raises:
            VerificationFailed: names each column in which that is not so.
        """
        strayed = {
            column: subs
            for column, rows in self._following.rows.items()
            if self._following.moves
            and not column.is_generated
            and (subs := self._count_strayed(column, rows))
        }
        if strayed:
            told = "; ".join(f"{subs} subs in {column.name}" for column, subs in strayed.items())
            raise VerificationFailed(
                "After the update these subs are in more or fewer rows than before the people's"
                f" subs changed: {told}. Everything was rolled back. Look for triggers and rules"
                " that suppress or change updates, or that move rows to another sub themselves."
            )

    def _count_strayed(self, column: FollowingColumn, rows: int) -> int:
        """Return how many subs are wrong in a column of which so many rows were to follow."""
        table = column.name.table
        before, now = self._before[table], count_writes(self._target, table)
        if not rows and now == before:
            return 0
        self._limit(f"what follows in {column.name} was verified")
        were_added = sql.Literal(now.inserted != before.inserted)
        query = statement("count_strayed", {**parts_of(column), "were_added": were_added})
        return int(self._target.row(query)[0])
