"""The PostgreSQL servers that rounds run on."""

import contextlib
from collections.abc import Iterator, Sequence

from sandbox.postgres import EmbeddedPostgres, available_versions, temporary_server
from tests.support.databases import system_programs

SYSTEM = "system"  # the kind of server that has ICU; the others are the wheel's, by version
ROLES = """
CREATE ROLE fuzz_owner LOGIN;
CREATE ROLE fuzz_setter LOGIN IN ROLE fuzz_owner;
CREATE ROLE fuzz_reader LOGIN IN ROLE pg_read_all_data;
GRANT SET ON PARAMETER session_replication_role TO fuzz_setter
"""


class Servers:
    """Servers, each of which is started when a round needs it first."""

    def __init__(self, kinds: Sequence[str], stack: contextlib.ExitStack) -> None:
        """Offer servers of some kinds; those that are started stop with the stack."""
        self.kinds = kinds
        self._stack = stack
        self._running: dict[str, EmbeddedPostgres] = {}

    @classmethod
    @contextlib.contextmanager
    def at_hand(cls) -> Iterator["Servers"]:
        """Offer all servers that this machine has, for the length of a with statement."""
        versions = [str(version) for version in available_versions()]
        system = [SYSTEM] if system_programs() else []
        with contextlib.ExitStack() as stack:
            yield cls(versions + system, stack)

    @classmethod
    def only(cls, server: EmbeddedPostgres) -> "Servers":
        """Offer a server that runs already."""
        servers = cls(["running"], contextlib.ExitStack())
        servers._add("running", server)
        return servers

    def get(self, kind: str) -> EmbeddedPostgres:
        """Return the running server of a kind."""
        if kind not in self._running:
            self._add(kind, self._start(kind))
        return self._running[kind]

    def _start(self, kind: str) -> EmbeddedPostgres:
        return self._stack.enter_context(
            temporary_server(bin_dir=system_programs())
            if kind == SYSTEM
            else temporary_server(version=int(kind))
        )

    def _add(self, kind: str, server: EmbeddedPostgres) -> None:
        server.execute("postgres", ROLES)
        self._running[kind] = server
