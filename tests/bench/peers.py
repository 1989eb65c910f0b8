"""The other ways to copy a database: pg_dump with pg_restore, and pgcopydb."""

import re
import shutil
import time
from collections.abc import Callable
from functools import partial

from tests.bench import data
from tests.bench.servers import NAME, Servers

COPY = "bench_copy"  # the peers' database on the target's server
JOBS = 2
DUMP_AND_RESTORE, PGCOPYDB = "pg_dump, pg_restore", "pgcopydb"

type Peer = Callable[[Servers], None]


def available(servers: Servers, jobs: int = JOBS) -> dict[str, Peer]:
    """Return the peers that this machine has for these servers, by name; each with so many jobs."""
    peers: dict[str, Peer] = {DUMP_AND_RESTORE: partial(_dump_and_restore, jobs=jobs)}
    if why_no_pgcopydb(servers) is None:
        peers[PGCOPYDB] = partial(_copy_with_pgcopydb, jobs=jobs)
    return peers


def why_no_pgcopydb(servers: Servers) -> str | None:
    """Return why pgcopydb is left out; None if it is not."""
    if not shutil.which(PGCOPYDB):
        return "pgcopydb is not installed."
    said = servers.source.server.run(PGCOPYDB, "--version")
    version = data.version(servers.source)
    listed = re.search(r"compatible with Postgres (.*)", said)
    if listed and version.split(".")[0] not in re.findall(r"\d+", listed[1]):
        return f"pgcopydb is left out: this one is {listed[0]}, and the servers are {version}."
    return None


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


def _dump_and_restore(servers: Servers, jobs: int) -> None:
    directory, as_many = _directory(servers), str(jobs)
    servers.source.server.run("pg_dump", "-Fd", "-j", as_many, "-Z0", "-f", directory, NAME)
    servers.target.server.run("pg_restore", "-j", as_many, "-d", COPY, directory)


def _copy_with_pgcopydb(servers: Servers, jobs: int) -> None:
    # It runs the pg_dump and pg_restore that are first on the PATH: those of the servers' version.
    servers.target.server.run(
        PGCOPYDB,
        "clone",
        *("--source", servers.source.url, "--target", servers.target.server.url(COPY)),
        *("--table-jobs", str(jobs), "--index-jobs", str(jobs), "--dir", _directory(servers)),
    )


def _directory(servers: Servers) -> str:
    return str(servers.scratch / "copy")
