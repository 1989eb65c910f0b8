"""Two PostgreSQL servers with the settings of a small production server."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from sandbox.signals import held

SETTINGS = {
    "shared_buffers": "512MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    # The benchmark vacuums between the measurements and not during them.
    "autovacuum": "off",
    # PostgreSQL's defaults, like all other settings; a sandbox changes these.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
}
NAME = "bench"


@dataclass(frozen=True, slots=True)
class Servers:
    """Production and staging, and a directory for the peers' files."""

    source: Database
    target: Database
    scratch: Path


@contextlib.contextmanager
def running(bin_dir: Path | None) -> Iterator[Servers]:
    """Run both servers for the length of a with statement and leave nothing behind.

    Args:
        bin_dir: the folder of initdb, postgres, pg_dump and the others; None: the wheel's.

    Raises:
        SandboxError: a server did not start; has its output.
    """
    with (
        tempfile.TemporaryDirectory(prefix="staging-sync-bench-") as root,
        contextlib.ExitStack() as stopping,
    ):
        source, target = (
            _start(Path(root) / name, bin_dir, stopping) for name in ("source", "target")
        )
        target.mark()
        scratch = Path(root) / "scratch"
        scratch.mkdir()
        yield Servers(source, target, scratch)


def _start(directory: Path, bin_dir: Path | None, stopping: contextlib.ExitStack) -> Database:
    """Start a server with its empty database; it is stopped with `stopping`."""
    directory.mkdir()
    with held():
        postgres = EmbeddedPostgres(directory, bin_dir=bin_dir, settings=SETTINGS)
        stopping.callback(postgres.stop)
    postgres.execute("postgres", f"CREATE DATABASE {NAME}")
    return Database(postgres, NAME)
