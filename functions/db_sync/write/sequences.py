"""Sequences are set as in production, so that the next insert in staging gets a free number."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg2 import sql

from common.postgres.database import Session
from common.postgres.locking.locks import ADVICE, Wanted, in_attempts
from common.postgres.names import Name
from common.postgres.naming import naming
from common.postgres.settings.replication_role import define
from db_sync.plan.sequences import PlannedSequence
from db_sync.run import ask_at_once


class Position(NamedTuple):
    """A sequence's state."""

    last_value: int
    is_called: bool
    increment: int
    minimum: int
    maximum: int

    @property
    def next_value(self) -> int:
        """The value that `nextval` returns next, if it is within the bounds."""
        return self.last_value + (self.increment if self.is_called else 0)

    @property
    def is_exhausted(self) -> bool:
        """Whether the next value lies outside of the bounds."""
        return not self.minimum <= self.next_value <= self.maximum


type Positions = dict[Name, Position]
# The states of the source's sequences, by the target's sequence that follows them.
type WantedPositions = dict[PlannedSequence, list[Position]]


def read_wanted(source: Session, planned: list[PlannedSequence]) -> WantedPositions:
    """Return the states of the source's sequences that the target's follow."""
    names = sorted({name for sequence in planned for name in sequence.sources})
    positions = read_positions(source, names)
    return {sequence: [positions[name] for name in sequence.sources] for sequence in planned}


def read_positions(session: Session, sequences: list[Name]) -> Positions:
    """Return the states of sequences, in few round trips: a union of thousands is too complex."""

    def ask(some: Sequence[Name]) -> list[tuple[Name, Position]]:
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL(
                "SELECT {} AS number, s.last_value, s.is_called, seqincrement AS increment,"
                " seqmin AS minimum, seqmax AS maximum FROM {} s, pg_sequence"
                " WHERE seqrelid = s.tableoid"
            ).format(sql.Literal(number), name.identifier)
            for number, name in enumerate(some)
        )
        return session.records(
            query, None, lambda number, **position: (some[number], Position(**position))
        )

    return dict(ask_at_once(session, "sequence", sequences, ask)) if sequences else {}


def outdated(target: Session, wanted: WantedPositions) -> Positions:
    """Return the states that the target's sequences should have, of those that have another."""
    current = read_positions(target, [sequence.name for sequence in wanted])
    moved: Positions = {}
    for sequence, positions in wanted.items():
        now = current[sequence.name]
        # A number that is used in a table that is not synced must not be given again.
        furthest = _furthest([*positions, now] if sequence.is_shared else positions)
        if furthest.next_value != now.next_value:
            moved[sequence.name] = furthest
    return moved


def _furthest(positions: list[Position]) -> Position:
    """Return the position that is ahead of all others."""
    return max(positions, key=lambda at: at.next_value if at.increment > 0 else -at.next_value)


def restart(target: Session, positions: Positions) -> None:
    """Set sequences within the transaction, except exhausted ones.

    `ALTER SEQUENCE … RESTART` is transactional and `setval` is not, but RESTART rejects the
    position of an exhausted sequence.

    Raises:
        TargetBusy: a transaction that called `nextval` still holds its lock.
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
