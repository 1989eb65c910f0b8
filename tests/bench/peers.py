"""The other ways to copy a database: pg_dump with pg_restore, and pgcopydb."""

import shutil
import time
from collections.abc import Callable

from tests.bench.servers import NAME, Servers

COPY = "bench_copy"  # the peers' database on the target's server
JOBS = "2"

type Peer = Callable[[Servers], None]


def available() -> dict[str, Peer]:
    """Return the peers that this machine has, by name."""
    peers: dict[str, Peer] = {"pg_dump, pg_restore": _dump_and_restore}
    if shutil.which("pgcopydb"):
        peers["pgcopydb"] = _copy_with_pgcopydb
    return peers


def measure(servers: Servers, peer: Peer) -> float:
    """Return the seconds that a peer takes to copy the source into a new database.

    Raises:
        RuntimeError: it failed; has the end of its standard error.
    """
    servers.target.server.execute("postgres", f"CREATE DATABASE {COPY}")
    try:
        started = time.monotonic()
        peer(servers)
        return time.monotonic() - started
    finally:
        servers.target.server.execute("postgres", f"DROP DATABASE {COPY} WITH (FORCE)")
        shutil.rmtree(_directory(servers), ignore_errors=True)


def _dump_and_restore(servers: Servers) -> None:
    directory = _directory(servers)
    servers.source.server.run("pg_dump", "-Fd", "-j", JOBS, "-Z0", "-f", directory, NAME)
    servers.target.server.run("pg_restore", "-j", JOBS, "-d", COPY, directory)


def _copy_with_pgcopydb(servers: Servers) -> None:
    servers.target.server.run(
        "pgcopydb",
        "clone",
        *("--source", servers.source.url, "--target", servers.target.server.url(COPY)),
        *("--table-jobs", JOBS, "--index-jobs", JOBS, "--dir", _directory(servers)),
    )


def _directory(servers: Servers) -> str:
    return str(servers.scratch / "copy")
