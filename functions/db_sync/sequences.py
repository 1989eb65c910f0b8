"""Sequences follow production, so that the next insert in staging finds a free number."""

from typing import NamedTuple

from psycopg2 import sql

from common.database import Session
from common.names import Name
from db_sync.catalog import Catalog


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


def plan_sequences(
    source: Catalog, target: Catalog, synced: set[int]
) -> tuple[list[Name], list[str]]:
    """Return the sequences to set, and a warning for each that cannot be read.

    Args:
        source: production's catalog.
        target: staging's catalog.
        synced: oids of the target's tables that are synced; sequences of others are left.
    """
    in_source = {sequence.name: sequence for sequence in source.sequences}
    shared = [
        sequence.name
        for sequence in target.sequences
        if sequence.name in in_source and (not sequence.owner or sequence.owner in synced)
    ]
    unreadable = [name for name in shared if not in_source[name].is_readable]
    warnings = [
        f"Sequence {name} is left as it is: the source role may not read it. Run there: GRANT"
        f" SELECT ON ALL SEQUENCES IN SCHEMA {name.schema} TO that role."
        for name in unreadable
    ]
    return [name for name in shared if name not in unreadable], warnings


def read_positions(session: Session, sequences: list[Name]) -> Positions:
    """Return where sequences stand, in one round trip."""
    if not sequences:
        return {}
    rows = session.rows(
        sql.SQL(" UNION ALL ").join(
            sql.SQL(
                "SELECT {} AS n, s.last_value, s.is_called, seqincrement, seqmin, seqmax"
                " FROM {} s, pg_sequence WHERE seqrelid = s.tableoid"
            ).format(sql.Literal(number), name.identifier)
            for number, name in enumerate(sequences)
        )
    )
    return {sequences[number]: Position(*position) for number, *position in rows}


def outdated(source: Positions, target: Positions) -> Positions:
    """Return the source's positions that the target does not have."""
    return {
        name: position
        for name, position in source.items()
        if position.next_value != target[name].next_value
    }


def restart(target: Session, positions: Positions) -> None:
    """Set sequences within the transaction, but those that are exhausted.

    `ALTER SEQUENCE … RESTART` is transactional and `setval` is not, but RESTART refuses the
    position of an exhausted sequence.
    """
    for name, position in positions.items():
        if not position.is_exhausted:
            target.execute(
                sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(
                    name.identifier, sql.Literal(position.next_value)
                )
            )


def set_exhausted(target: Session, positions: Positions) -> None:
    """Set exhausted sequences with `setval`: not undone by a rollback, so directly before commit.

    PostgreSQL's manual: https://www.postgresql.org/docs/current/functions-sequence.html
    """
    for name, position in positions.items():
        target.execute(
            "SELECT setval(%s::regclass, %s, %s)",
            [target.quoted(name.identifier), position.last_value, position.is_called],
        )
