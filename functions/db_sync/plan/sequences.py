"""Which of production's sequences each of the target's follows."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from common.postgres.names import Name
from db_sync.plan.catalog import Catalog, Sequence, TableColumn


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
    by_column: dict[TableColumn, list[Sequence]] = defaultdict(list)
    for sequence in source.sequences:
        for user in sequence.users:
            by_column[user.column].append(sequence)
    for sequence in target.sequences:
        users = [user for user in sequence.users if user.root in synced]
        if sequence.users and not users:
            continue
        leaders = [
            leader for user in users for leader in _of_column(sequence, by_column[user.column])
        ]
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
