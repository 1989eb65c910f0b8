"""Sequences follow production, so that the next insert in staging finds a free number."""

from typing import NamedTuple

from psycopg2 import sql

from common.database import Session
from common.names import Name
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


def plan_sequences(
    source: Catalog, target: Catalog, synced: set[int]
) -> tuple[dict[Name, Name], list[str]]:
    """Return the target's sequences to set with the source's that each follows, and warnings.

    A sequence that a column owns follows that of the same column, whatever their names; another
    follows that of the same name.

    Args:
        source: production's catalog.
        target: staging's catalog.
        synced: oids of the target's tables that are synced; sequences of others are left.
    """
    in_source = {_identity(sequence): sequence for sequence in source.sequences}
    pairs: dict[Name, Name] = {}
    warnings: list[str] = []
    for sequence in target.sequences:
        if sequence.owner and sequence.owner not in synced:
            continue
        leader = in_source.get(_identity(sequence))
        if leader is None:
            warnings.append(
                f"Sequence {sequence.name} is left as it is: the source has none like it."
            )
        elif not leader.is_readable:
            warnings.append(
                f"Sequence {sequence.name} is left as it is: the source role may not read"
                f" {leader.name}. Run there: GRANT SELECT ON ALL SEQUENCES IN SCHEMA"
                f" {leader.name.schema} TO that role."
            )
        else:
            pairs[sequence.name] = leader.name
    return pairs, warnings


def _identity(sequence: Sequence) -> tuple[str | None, ...]:
    """Return what a sequence has in common with its like on the other side."""
    if sequence.owner:
        return (sequence.owner_schema, sequence.owner_name, sequence.owner_column)
    return sequence.name


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


def outdated(leaders: Positions, target: Positions) -> Positions:
    """Return the positions that the target's sequences are to have and do not."""
    return {
        name: leader
        for name, leader in leaders.items()
        if leader.next_value != target[name].next_value
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
