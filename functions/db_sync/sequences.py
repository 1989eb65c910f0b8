"""Sequences follow production, so that the next insert in staging finds a free number."""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import NamedTuple

from psycopg2 import sql

from common.database import Session
from common.locks import ADVICE, Wanted, in_attempts
from common.names import Name
from common.naming import naming
from common.replication_role import define
from db_sync.blame import ask_at_once
from db_sync.catalog import Catalog, Sequence


class Position(NamedTuple):
    """Where a sequence stands."""

    last_value: int
    is_called: bool
    increment: int
    minimum: int
    maximum: int

    @property
    def next_value(self) -> int:
        """The value that the next `nextval` gives, if it is within the bounds."""
        return self.last_value + (self.increment if self.is_called else 0)

    @property
    def is_exhausted(self) -> bool:
        """Whether the next value lies outside of the bounds."""
        return not self.minimum <= self.next_value <= self.maximum


type Positions = dict[Name, Position]


@dataclass(frozen=True, slots=True)
class Follower:
    """A sequence of the target, and those of the source whose numbers its columns hold.

    One `is_shared` with tables that are not synced, whose rows have numbers of its own.
    """

    name: Name
    leaders: tuple[Name, ...]
    is_shared: bool


def plan_sequences(
    source: Catalog, target: Catalog, synced: set[int]
) -> tuple[list[Follower], list[str]]:
    """Return the target's sequences to set, each with those that it follows, and warnings.

    Args:
        source: production's catalog.
        target: staging's catalog.
        synced: oids of the target's tables that are synced; sequences of others alone are left.
    """
    followers: list[Follower] = []
    warnings: list[str] = []
    for sequence, leaders in match_sequences(source, target, synced):
        if why := _why_left(leaders):
            warnings.append(f"Sequence {sequence.name} is left as it is: {why}")
        else:
            names = tuple(sorted({leader.name for leader in leaders}))
            is_shared = any(user.root not in synced for user in sequence.users)
            followers.append(Follower(sequence.name, names, is_shared))
    return followers, warnings


def match_sequences(
    source: Catalog, target: Catalog, synced: set[int]
) -> Iterator[tuple[Sequence, list[Sequence]]]:
    """Yield the target's sequences that synced tables use or none does, each with its leaders.

    A sequence follows those that the same columns use in the source, whatever their names; the
    one of the same name where there is none.
    """
    by_name = {sequence.name: sequence for sequence in source.sequences}
    by_user: dict[tuple[str, ...], list[Sequence]] = defaultdict(list)
    for sequence in source.sequences:
        for user in sequence.users:
            by_user[user[1:]].append(sequence)
    for sequence in target.sequences:
        users = [user for user in sequence.users if user.root in synced]
        if sequence.users and not users:
            continue
        leaders = [leader for user in users for leader in _of_column(sequence, by_user[user[1:]])]
        if not leaders and sequence.name in by_name:
            leaders = [by_name[sequence.name]]
        yield sequence, leaders


def _of_column(sequence: Sequence, leaders: list[Sequence]) -> list[Sequence]:
    """Return which of a column's sequences in the source it follows, if it is used there too."""
    return [leader for leader in leaders if leader.name == sequence.name] or leaders


def _why_left(leaders: list[Sequence]) -> str | None:
    """Return why a sequence cannot follow, None if it can."""
    if not leaders:
        return "the source has none like it."
    for leader in leaders:
        if not leader.is_readable:
            return (
                f"the source role may not read {leader.name}. Run there: GRANT SELECT ON ALL"
                f" SEQUENCES IN SCHEMA {leader.name.schema} TO that role."
            )
    return None


def read_leaders(source: Session, followers: list[Follower]) -> dict[Follower, list[Position]]:
    """Return where the sequences stand that others follow."""
    leaders = sorted({leader for follower in followers for leader in follower.leaders})
    positions = read_positions(source, leaders)
    return {follower: [positions[leader] for leader in follower.leaders] for follower in followers}


def read_positions(session: Session, sequences: list[Name]) -> Positions:
    """Return where sequences stand, in few round trips: a union of thousands is too complex."""

    def ask(some: Several[Name]) -> list[tuple[Name, Position]]:
        rows = session.rows(
            sql.SQL(" UNION ALL ").join(
                sql.SQL(
                    "SELECT {} AS n, s.last_value, s.is_called, seqincrement, seqmin, seqmax"
                    " FROM {} s, pg_sequence WHERE seqrelid = s.tableoid"
                ).format(sql.Literal(number), name.identifier)
                for number, name in enumerate(some)
            )
        )
        return [(some[number], Position(*position)) for number, *position in rows]

    return dict(ask_at_once(session, "sequence", sequences, ask)) if sequences else {}


def outdated(target: Session, leaders: dict[Follower, list[Position]]) -> Positions:
    """Return the positions that the target's sequences are to have and do not."""
    current = read_positions(target, [follower.name for follower in leaders])
    moved: Positions = {}
    for follower, positions in leaders.items():
        now = current[follower.name]
        # A number that a table of the target's own has taken must not come again.
        furthest = _furthest([*positions, now] if follower.is_shared else positions)
        if furthest.next_value != now.next_value:
            moved[follower.name] = furthest
    return moved


def _furthest(positions: list[Position]) -> Position:
    """Return the position that leaves all the others behind."""
    return max(positions, key=lambda at: at.next_value if at.increment > 0 else -at.next_value)


def restart(target: Session, positions: Positions) -> None:
    """Set sequences within the transaction, but those that are exhausted.

    `ALTER SEQUENCE … RESTART` is transactional and `setval` is not, but RESTART refuses the
    position of an exhausted sequence.

    Raises:
        TargetBusy: others who took a number hold their locks still.
    """
    moved = {name: at for name, at in positions.items() if not at.is_exhausted}
    if not moved:
        return

    def restart_all() -> None:
        for name, position in moved.items():
            with naming("sequence", name):
                define(
                    target,
                    sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(
                        name.identifier, sql.Literal(position.next_value)
                    ),
                )

    what = "The target's sequences"
    wanted = Wanted(what=what, tables=list(moved), readers=False, advice=ADVICE)
    in_attempts(target, restart_all, wanted)


def set_exhausted(target: Session, positions: Positions) -> None:
    """Set exhausted sequences with `setval`: not undone by a rollback, so directly before commit.

    PostgreSQL's manual: https://www.postgresql.org/docs/current/functions-sequence.html
    """
    for name, position in positions.items():
        with naming("sequence", name):
            target.execute(
                "SELECT setval(%s::regclass, %s, %s)",
                [target.quoted(name.identifier), position.last_value, position.is_called],
            )
