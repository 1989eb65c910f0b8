"""Rights that a sync needs on other objects than the synced tables, without which it fails late.

These are sequences, tables at the other end of foreign keys, and partitions that others own.
"""

from collections.abc import Collection

from common.postgres.names import Name
from db_sync.plan.catalog import MissingRights, Sequence
from db_sync.plan.sequences import match_sequences
from db_sync.plan.tables import Plan
from db_sync.plan.wording import all_quoted, listed, quoted, some_of

type Matches = list[tuple[Sequence, list[Sequence]]]  # the target's sequences, with the source's


class RelatedRights:
    """What our roles lack; each method returns sentences with the statements to run."""

    def __init__(self, plan: Plan) -> None:
        """Take the plan, with the tables that are synced."""
        self._plan = plan
        self._target = plan.catalogs.target
        self._role = self._target.facts.role
        self._matches: Matches = [
            (sequence, sources) for sequence, sources in match_sequences(plan) if sources
        ]

    def in_source(self) -> list[str]:
        """Return what is missing to read the sequences that the target's follow."""
        sources = {source.name: source for _, of in self._matches for source in of}
        return _to_read_sequences("source", self._plan.catalogs.source.facts.role, sources.values())

    def to_compare(self) -> list[str]:
        """Return what is missing on the target even for a dry run."""
        unread = [each.name for each in self._at_other_ends() if not each.may_read]
        return [
            *(
                f"The target role {self._role} may not read {listed(some)}. Run there: GRANT SELECT"
                f" ON {all_quoted(some)} TO {quoted(self._role)};"
                for some in some_of(unread)
            ),
            *_to_read_sequences("target", self._role, [sequence for sequence, _ in self._matches]),
        ]

    def to_write(self, reported: Collection[Name]) -> list[str]:
        """Return what more is missing on the target to write.

        Args:
            reported: tables that are reported already as ones that the role should own.
        """
        refused = [
            each
            for each in self._at_other_ends()
            if not (each.may_read and each.may_lock) and each.name not in reported
        ]
        to_own = {each.name for each in refused if each.is_partition}
        to_own |= self._with_foreign_triggers() - set(reported)
        to_grant = [each.name for each in refused if each.name not in to_own]
        return [
            *self._to_lock(to_grant),
            *self._to_own(sorted(to_own)),
            *self._to_set_sequences({*reported, *to_own}),
        ]

    def _at_other_ends(self) -> list[MissingRights]:
        """Return the other tables that foreign keys of synced tables refer to or come from."""
        synced, named = self._plan.synced, set[Name]()
        for key in self._target.foreign_keys:
            if synced & {key.child_root, key.parent_root}:
                named |= {key.child, key.parent}
        named -= {table.name for table in self._plan.tables}
        return [each for each in self._target.missing_rights if each.name in named]

    def _with_foreign_triggers(self) -> set[Name]:
        """Return the synced tables and partitions whose triggers only another role may disable."""
        synced = self._plan.synced
        return {
            each.name
            for each in self._target.missing_rights
            if each.has_foreign_triggers and each.root in synced
        }

    def _to_lock(self, tables: list[Name]) -> list[str]:
        return [
            f"The target role {self._role} may not lock, read and refer to {listed(some)}, at the"
            " other end of foreign keys of synced tables. Run there: GRANT SELECT, UPDATE,"
            " REFERENCES ON"
            f" {all_quoted(some)} TO {quoted(self._role)};"
            for some in some_of(tables)
        ]

    def _to_own(self, tables: list[Name]) -> list[str]:
        missing = []
        for some in some_of(tables):
            statements = " ".join(self._own("TABLE", name) for name in some)
            missing.append(
                f"The target role {self._role} does not own {listed(some)}, which it must lock, or"
                f" whose triggers and rules it must disable. Run there: {statements}"
            )
        return missing

    def _to_set_sequences(self, to_own: Collection[Name]) -> list[str]:
        """Return what is missing to set sequences; a table's new owner owns its sequences too.

        Only ALTER SEQUENCE is undone by a rollback, and only the owner may run it.
        """
        foreign = [
            sequence
            for sequence, _ in self._matches
            if not sequence.may_alter and sequence.owning_table not in to_own
        ]
        missing = []
        for some in some_of(foreign):
            statements = dict.fromkeys(
                self._own("TABLE", sequence.owning_table)
                if sequence.owning_table
                else self._own("SEQUENCE", sequence.name)
                for sequence in some
            )
            missing.append(
                f"The target role {self._role} may not set the sequence"
                f" {listed(sequence.name for sequence in some)}, which only its owner may. Run"
                f" there: {' '.join(statements)}"
            )
        return missing

    def _own(self, kind: str, name: Name) -> str:
        return f"ALTER {kind} {quoted(*name)} OWNER TO {quoted(self._role)};"


def _to_read_sequences(side: str, role: str, sequences: Collection[Sequence]) -> list[str]:
    unreadable = sorted(sequence.name for sequence in sequences if not sequence.is_readable)
    return [
        f"The {side} role {role} may not read the sequence {listed(some)}. Run there: GRANT SELECT"
        f" ON SEQUENCE {all_quoted(some)} TO {quoted(role)};"
        for some in some_of(unreadable)
    ]
