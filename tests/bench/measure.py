"""Measures a sync from outside: seconds, peak memory, and how long other sessions were blocked."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from sandbox.database import Database
from tests.bench.servers import Servers

MASK_KEY = "0123456789abcdef" * 4
PACE = 0.005  # seconds between two statements of a probe
# Rows that no case deletes; the writes change nothing, so that both sides stay equal.
READS = (
    "SELECT * FROM users WHERE id = 1",
    "SELECT * FROM orders WHERE id = 1",
    "SELECT * FROM pgbench_accounts WHERE aid = 1",
)
WRITES = (
    "UPDATE users SET name = name WHERE id = 1",
    "UPDATE orders SET note = note WHERE id = 1",
    "UPDATE pgbench_accounts SET filler = filler WHERE aid = 1",
)


class Watched(NamedTuple):
    """The statements of a reader and a writer of the target, whose waits are measured."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


REFERENCE = Watched(READS, WRITES)
NOBODY = Watched((), ())

DB_SYNC = ("db_sync",)  # the module that is run, and its options besides those of every sync


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one sync took: seconds, and bytes of memory at its peak; and its output."""

    seconds: float
    peak_memory: int
    reader_blocked: float
    writer_blocked: float
    output: dict[str, Any]


def measure_sync(
    servers: Servers,
    watched: Watched = REFERENCE,
    *,
    rules: str | None = None,
    module: Sequence[str] = DB_SYNC,
) -> Measurement:
    """Run `python -m db_sync` in a separate process, while others use the target.

    Args:
        servers: both servers.
        watched: what the others do.
        rules: the sync rules as JSON; None: no file of rules.
        module: that is run, and further options of it.

    Raises:
        RuntimeError: it failed; has the end of its standard error.
    """
    reads, writes = watched
    with Probe(servers.target, reads) as reader, Probe(servers.target, writes) as writer:
        seconds, peak_memory, printed = run_sync(servers, rules, module)
    return Measurement(seconds, peak_memory, reader.longest, writer.longest, json.loads(printed))


def run_sync(
    servers: Servers, rules: str | None = None, module: Sequence[str] = DB_SYNC
) -> tuple[float, int, str]:
    """Run `python -m db_sync`; return its seconds, its peak memory in bytes, and its output.

    Raises:
        RuntimeError: it failed; has the end of its standard error.
    """
    command = [
        *(sys.executable, "-m", *module, "--json"),
        *("--source", servers.source.url, "--target", servers.target.url),
    ]
    if rules:
        file = servers.scratch / "rules.json"
        file.write_text(rules)
        command += ["--rules", str(file)]
    started = time.monotonic()
    printed, peak_memory = run_measured(command, {**os.environ, "MASK_KEY": MASK_KEY})
    return time.monotonic() - started, peak_memory, printed


def run_measured(
    command: Sequence[str], environment: Mapping[str, str], standard_input: str = ""
) -> tuple[str, int]:
    """Run a command; return its output and its peak memory in bytes.

    Raises:
        RuntimeError: it failed; has the end of its standard error.
    """
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as printed,
        tempfile.TemporaryFile("w+") as errors,
    ):
        given.write(standard_input)
        given.seek(0)
        with subprocess.Popen(  # noqa: S603 - every argument is ours
            command, stdin=given, stdout=printed, stderr=errors, env=environment
        ) as process:
            try:
                # A child's peak includes its parent's memory at the fork: some 30 MB here, less
                # than the commands use.
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                raise
            process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command[1:4])} failed: {errors.read()[-3000:]}")
        # Kilobytes on Linux, bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        return printed.read(), usage.ru_maxrss * unit


class Probe:
    """A user of the database: runs statements in turn and records the slowest."""

    def __init__(self, database: Database, statements: Sequence[str]) -> None:
        """Prepare to run `statements` in a database for the length of a with statement."""
        self.longest = 0.0  # seconds
        self._database = database
        self._statements = statements
        self._ended = threading.Event()
        self._threads = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._running = self._threads.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; raise the error of a statement that failed."""
        self._ended.set()
        self._threads.shutdown()
        self._running.result()

    def _run(self) -> None:
        with (
            contextlib.closing(self._database.connect()) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            for statement in itertools.cycle(self._statements):
                started = time.monotonic()
                cursor.execute(statement)
                self.longest = max(self.longest, time.monotonic() - started)
                if self._ended.wait(PACE):
                    return
