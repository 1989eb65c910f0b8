"""Which of the source's sequences each of the target's follows."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from common.postgres.names import Name, TableColumn
from common.reports.notices import Notice, Topic
from db_sync.plan.catalog import Sequence
from db_sync.plan.tables import Plan
from db_sync.plan.wording import quoted


@dataclass(frozen=True, slots=True)
class PlannedSequence:
    """A sequence of the target, and the source's sequences whose numbers are in its columns.

    `is_shared`: whether tables that are not synced use it too, so that their rows have numbers of
    the target's own.
    """

    name: Name
    sources: tuple[Name, ...]
    is_shared: bool


def plan_sequences(plan: Plan) -> tuple[list[PlannedSequence], list[Notice]]:
    """Return the target's sequences that follow the source's, and notices about the others.

    Sequences that only unsynced tables use are left as they are, without a notice.
    """
    planned: list[PlannedSequence] = []
    notices: list[Notice] = []
    synced = plan.synced
    for sequence, sources in match_sequences(plan):
        if why := _why_left(sources, plan.catalogs.source.facts.role):
            text = f"Sequence {sequence.name} is left as it is: {why}"
            notices.append(Notice.advising(text, Topic.ROWS))
        else:
            names = tuple(sorted({source.name for source in sources}))
            is_shared = any(user.root not in synced for user in sequence.users)
            planned.append(PlannedSequence(sequence.name, names, is_shared))
    return planned, notices


def match_sequences(plan: Plan) -> Iterator[tuple[Sequence, list[Sequence]]]:
    """Yield each sequence of the target with those of the source that it follows.

    These are the ones that the same columns use in the source, whatever their names; if there are
    none, the one of the same name. Sequences that only unsynced tables use are left out.
    """
    synced = plan.synced
    by_name = {sequence.name: sequence for sequence in plan.catalogs.source.sequences}
    by_column: dict[TableColumn, list[Sequence]] = defaultdict(list)
    for sequence in plan.catalogs.source.sequences:
        for user in sequence.users:
            by_column[user.column].append(sequence)
    for sequence in plan.catalogs.target.sequences:
        users = [user for user in sequence.users if user.root in synced]
        if sequence.users and not users:
            continue
        sources = [
            source for user in users for source in _of_column(sequence, by_column[user.column])
        ]
        if not sources and sequence.name in by_name:
            sources = [by_name[sequence.name]]
        yield sequence, sources


def _of_column(sequence: Sequence, sources: list[Sequence]) -> list[Sequence]:
    """Return the sequences of a column in the source that it follows: that of its name, or all."""
    return [source for source in sources if source.name == sequence.name] or sources


def _why_left(sources: list[Sequence], role: str) -> str | None:
    """Return why a sequence cannot follow these; None if it can."""
    if not sources:
        return "the source has no matching sequence."
    for source in sources:
        if not source.is_readable:
            return (
                f"the source role may not read {source.name}. Run there: GRANT SELECT ON ALL"
                f" SEQUENCES IN SCHEMA {quoted(source.name.schema)} TO {quoted(role)};"
            )
    return None
