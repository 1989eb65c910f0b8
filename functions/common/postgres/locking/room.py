"""How many locks a server has room for, and what to set if that is not enough.

All sessions share that room:
https://www.postgresql.org/docs/current/runtime-config-locks.html
"""

from dataclasses import dataclass

import psycopg2

from common.errors import ConfigurationError

SETTING = "max_locks_per_transaction"
OUT_OF_MEMORY = "53200"
LOCK_TABLE = "lock.c"  # the server's source file that raises it if the lock table is full
STEP = 64  # the setting's default; our advice is a multiple of it
# Writing a table needs temporary tables, with their TOAST tables and indexes.
OF_A_WRITTEN_TABLE = 10


@dataclass(frozen=True, slots=True)
class LockRoom:
    """Room for `per_transaction` locks of each of `sessions`, and how much there is to lock.

    `tables` counts partitions too, and `relations` also indexes and TOAST tables.
    """

    per_transaction: int = STEP
    sessions: int = 1
    tables: int = 0
    relations: int = 0

    def error(self, role: str, where: str) -> ConfigurationError:
        """Return the error for a statement that found no room on the "source" or "target"."""
        return ConfigurationError(
            f"There is no room for another lock in {where}. {self._advice(role)}"
        )

    def warnings(self) -> list[str]:
        """Return the warnings of a dry run, which itself locks no table of the target."""
        if self.tables <= self._locks:
            return []
        return [f"A sync that writes may find no room for its locks. {self._advice('target')}"]

    @property
    def _locks(self) -> int:
        return self.per_transaction * self.sessions

    def _advice(self, role: str) -> str:
        """Return what the setting is, and the value at which everything could be locked."""
        written = 0 if role == "source" else self.tables * OF_A_WRITTEN_TABLE
        wanted = (self.relations + written) // self.sessions
        value = (max(wanted, self.per_transaction) // STEP + 1) * STEP
        return (
            f"{SETTING} of the {role}'s server is {self.per_transaction}, which is room for"
            f" {self._locks} locks of all sessions. There are {self.tables} tables and partitions;"
            f" with their indexes and what a sync of all of them needs, set it to {value} (on RDS"
            " in the parameter group) and restart the server."
        )


def is_full(error: psycopg2.Error) -> bool:
    """Return whether a statement failed because there was no room for another lock."""
    return error.pgcode == OUT_OF_MEMORY and error.diag.source_file == LOCK_TABLE
