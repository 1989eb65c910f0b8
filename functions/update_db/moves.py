"""Which sub becomes which, and the rows of the columns that follow which hold one of them.

The temporary tables of create_moves.sql have both. Everything is counted before anything is
written, so that it can be verified afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from psycopg2 import sql

from common.follow.substitution import Replacements, subs_in
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey, KeyColumn
from common.postgres.names import Name, TableColumn
from update_db.followers import Followers, FollowingColumn
from update_db.masked_emails import Parts
from update_db.statements import statement

type Limit = Callable[[str], None]  # limits what begins now to the time that is left

MOVES = sql.Identifier("pg_temp", "staging_sync_moves")
# Where a sub goes to somebody else, rows that have it get another value in between.
ASIDE = Replacements(MOVES, "old", "meanwhile")
FORTH = Replacements(MOVES, "held", "new")


@dataclass(frozen=True, slots=True)
class Following:
    """What follows the subs that move: for each column, how many of its rows.

    `shared`: how many subs a column has that several users have, so that nobody knows whose they
    are. `unlike`: by each foreign key, how many rows refer to a sub that moves, but write it in
    another way. `goes_aside`: whether a sub goes to somebody else while what follows it gets
    another one. `moves`: how many subs move.
    """

    followers: Followers
    rows: Mapping[FollowingColumn, int]
    shared: Mapping[FollowingColumn, int]
    unlike: Mapping[ForeignKey, int]
    goes_aside: bool
    moves: int

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows that follow, by the column's name."""
        return {
            str(column.name): rows for column, rows in self.rows.items() if not column.is_generated
        }

    @property
    def shared_ones(self) -> str:
        """The columns with subs that several users have, for a message; "" if there are none."""
        return "; ".join(
            f"{subs} subs in {column.name}" for column, subs in self.shared.items() if subs
        )

    @property
    def unlike_ones(self) -> str:
        """The foreign keys of rows that write a sub in another way, for a message; or ""."""
        return "; ".join(
            f"{rows} rows of {key.child} by {key.name}" for key, rows in self.unlike.items() if rows
        )

    @property
    def keys(self) -> list[ForeignKey]:
        """The foreign keys by which rows refer to a sub that moves."""
        moving = self._moving
        return [key.key for key in self.followers.keys if moving.intersection(key.children)]

    @property
    def tables_of_keys(self) -> set[Name]:
        """The tables at both ends of these keys."""
        moving = self._moving
        return {
            table
            for key in self.followers.keys
            if moving.intersection(key.children)
            for table in (key.child_table, key.parent_table)
        }

    @property
    def written(self) -> dict[Name, list[FollowingColumn]]:
        """The columns that are written, by their tables."""
        found: dict[Name, list[FollowingColumn]] = {}
        for column, rows in self.rows.items():
            if rows and not column.is_generated:
                found.setdefault(column.name.table, []).append(column)
        return found

    @property
    def _moving(self) -> set[TableColumn]:
        """The columns that hold a sub that moves; the sub column does if any moves."""
        moving = {column.name for column, rows in self.rows.items() if rows}
        return moving | ({self.followers.followed} if self.moves else set())


def nothing_follows(followers: Followers) -> Following:
    """Return that nothing follows, since no sub changes."""
    none = dict.fromkeys(followers.columns, 0)
    return Following(followers, rows=none, shared=none, unlike={}, goes_aside=False, moves=0)


def find_following(target: Session, followers: Followers, limit: Limit) -> Following:
    """Return what follows the changes that were decided.

    Args:
        target: the session in which they were decided.
        followers: the columns.
        limit: is called before each column is read.
    """
    target.execute(statement("decide_moves", {}))
    target.execute("ANALYZE pg_temp.staging_sync_moves")
    moves, go_to_others = target.row(statement("count_moves", {}))
    rows: dict[FollowingColumn, int] = {}
    shared: dict[FollowingColumn, int] = {}
    for column in followers.columns:
        limit(f"what follows in {column.name} was counted")
        parts = parts_of(column)
        moving, shared[column] = target.row(statement("expect_subs", parts))
        if moving and column.sub.holds != "sub":
            (moving,) = target.row(statement("count_following_rows", parts))
        rows[column] = moving
    unlike = {
        key.key: sum(_count_unlike(target, key.key, pair) for pair in key.pairs)
        for key in followers.keys
        if not key.is_exact
    }
    return Following(followers, rows, shared, unlike, goes_aside=bool(go_to_others), moves=moves)


def _count_unlike(target: Session, key: ForeignKey, pair: KeyColumn) -> int:
    parts = {
        "children": key.child_rows,
        "parents": key.parent_rows,
        "refers": key.refers("c", "p"),
        "child": sql.Identifier(pair.child),
        "parent": sql.Identifier(pair.parent),
    }
    return int(target.row(statement("count_unlike", parts))[0])


def parts_of(column: FollowingColumn) -> Parts:
    """Return the SQL parts of statements that read a column that follows."""
    return {
        "number": sql.Literal(column.number),
        "rows": column.rows,
        "held": subs_in(column.sub),
    }
