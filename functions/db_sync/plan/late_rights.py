"""Rights that a sync needs beside those on its tables, and would miss late: with all rows written.

On sequences, on what foreign keys lead to, and on partitions of other roles.
"""

from collections.abc import Collection

from common.postgres.names import Name
from db_sync.plan.catalog import Catalog, Lacking, Sequence
from db_sync.plan.sequences import match_sequences
from db_sync.plan.tables import Plan
from db_sync.plan.wording import all_quoted, listed, quoted, some_of

type Matches = list[tuple[Sequence, list[Sequence]]]  # the target's sequences, with their leaders


class LateRights:
    """What our roles lack; each method returns sentences with the statements to run."""

    def __init__(self, source: Catalog, target: Catalog, plan: Plan) -> None:
        """Take both catalogs and the tables that are synced."""
        self._synced = {table.target.oid for table in plan.tables}
        self._whole_tables = {table.name for table in plan.tables}
        self._source, self._target = source, target
        self._matches: Matches = [
            (sequence, leaders)
            for sequence, leaders in match_sequences(source, target, self._synced)
            if leaders
        ]

    def in_source(self) -> list[str]:
        """Return what is missing to read the sequences that the target's follow."""
        leaders = {leader.name: leader for _, of in self._matches for leader in of}
        return _to_read_sequences("source", self._source.facts.role, leaders.values())

    def to_compare(self) -> list[str]:
        """Return what is missing on the target even for a dry run."""
        role = self._target.facts.role
        unread = [each.name for each in self._at_other_ends() if not each.may_read]
        return [
            *(
                f"The target role {role} may not read {listed(some)}. Run there: GRANT SELECT ON"
                f" {all_quoted(some)} TO {quoted(role)};"
                for some in some_of(unread)
            ),
            *_to_read_sequences("target", role, [sequence for sequence, _ in self._matches]),
        ]

    def to_write(self, told: Collection[Name]) -> list[str]:
        """Return what more is missing on the target to write.

        Args:
            told: tables of which it is said already that the role should own them.
        """
        role = self._target.facts.role
        refused = [
            each
            for each in self._at_other_ends()
            if not (each.may_read and each.may_lock) and each.name not in told
        ]
        acting = {
            each.name
            for each in self._target.lacking
            if each.acts and each.root in self._synced and each.name not in told
        }
        to_own = acting | {each.name for each in refused if each.is_partition}
        faults = [
            f"The target role {role} may not lock, read and refer to {listed(some)}, where foreign"
            f" keys of synced tables lead. Run there: GRANT SELECT, UPDATE, REFERENCES ON"
            f" {all_quoted(some)} TO {quoted(role)};"
            for some in some_of([each.name for each in refused if each.name not in to_own])
        ]
        for some in some_of(sorted(to_own)):
            statements = " ".join(_own("TABLE", name, role) for name in some)
            faults.append(
                f"The target role {role} does not own {listed(some)}, which it must lock, or whose"
                f" triggers and rules it must switch off. Run there: {statements}"
            )
        return faults + self._to_set_sequences({*told, *to_own})

    def _at_other_ends(self) -> list[Lacking]:
        """Return what foreign keys of synced tables name and is no synced table itself."""
        named: set[Name] = set()
        for key in self._target.foreign_keys:
            if self._synced & {key.child_root, key.parent_root}:
                named |= {key.child, key.parent}
        named -= self._whole_tables
        return [each for each in self._target.lacking if each.name in named]

    def _to_set_sequences(self, to_own: Collection[Name]) -> list[str]:
        """Return what is missing to set sequences; they change hands with the tables they are of.

        Only the owner may set one so that a rollback undoes it.
        """
        role = self._target.facts.role
        foreign = [
            sequence
            for sequence, _ in self._matches
            if not sequence.may_alter and sequence.owning_table not in to_own
        ]
        faults = []
        for some in some_of(foreign):
            statements = dict.fromkeys(
                _own("TABLE", sequence.owning_table, role)
                if sequence.owning_table
                else _own("SEQUENCE", sequence.name, role)
                for sequence in some
            )
            faults.append(
                f"The target role {role} may not set the sequence"
                f" {listed(sequence.name for sequence in some)}, which its owner alone may. Run"
                f" there: {' '.join(statements)}"
            )
        return faults


def _to_read_sequences(side: str, role: str, sequences: Collection[Sequence]) -> list[str]:
    closed = sorted(sequence.name for sequence in sequences if not sequence.is_readable)
    return [
        f"The {side} role {role} may not read the sequence {listed(some)}. Run there: GRANT SELECT"
        f" ON SEQUENCE {all_quoted(some)} TO {quoted(role)};"
        for some in some_of(closed)
    ]


def _own(kind: str, name: Name, role: str) -> str:
    return f"ALTER {kind} {quoted(*name)} OWNER TO {quoted(role)};"
