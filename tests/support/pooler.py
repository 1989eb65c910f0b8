"""A transaction pooler in front of a test server: a real PgBouncer with pools of two."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from common.postgres.connection.address import DatabaseAddress
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres
from tests.support.waiting import wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PORT = 6432
POOL_SIZE = 2  # the connections that a sync has open to the target at the same time
CONFIGURATION = """
[databases]
* = host={server} port=5432
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
admin_users = postgres
pool_mode = transaction
default_pool_size = {pool_size}
server_idle_timeout = 0
query_wait_timeout = {limit}
"""
# What a session may leave on a server connection for the pool's next client.
STATE = """
SELECT pg_catalog.json_build_object(
    'backend', pg_catalog.pg_backend_pid(),
    'settings', (SELECT json_object_agg(name, setting) FROM pg_catalog.pg_settings),
    'advisory locks', (
        SELECT count(*) FROM pg_catalog.pg_locks
        WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()
    ),
    'temporary', (
        SELECT coalesce(json_agg(relname), '[]') FROM pg_catalog.pg_class
        WHERE relnamespace = pg_catalog.pg_my_temp_schema() AND relkind <> 'i'
    ),
    'prepared', (SELECT coalesce(json_agg(name), '[]') FROM pg_catalog.pg_prepared_statements),
    'cursors', (SELECT coalesce(json_agg(name), '[]') FROM pg_catalog.pg_cursors WHERE name <> ''),
    'channels', (SELECT count(*) FROM pg_catalog.pg_listening_channels())
)
"""


class Pooler:
    """A running PgBouncer in transaction mode."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def url(self, database: Database, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database.name}?host={self.folder}&port={PORT}"

    def address(self, database: Database, user: str = "postgres") -> DatabaseAddress:
        return DatabaseAddress.of_url(self.url(database, user))

    def application_finds(self, database: Database, user: str = "postgres") -> list[dict[str, Any]]:
        """Return the states of the pool's server connections, which the next clients get.

        Read by psql, which sets nothing itself; each has a transaction open until all are read.
        """
        path = f"{self.server.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        command = [str(shutil.which("psql", path=path)), "-XqAt", self.url(database, user)]
        environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
        with contextlib.ExitStack() as clients:
            states = []
            for _ in range(POOL_SIZE):
                client = clients.enter_context(_client(command, environment))
                states.append(json.loads(_ask(client, f"BEGIN; {' '.join(STATE.split())};")))
        return sorted(states, key=lambda state: int(state["backend"]))


@contextlib.contextmanager
def _client(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run psql for the length of a with statement."""
    with subprocess.Popen(  # noqa: S603  # our own arguments
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as client:
        yield client
        client.communicate("COMMIT;\n")
    assert client.returncode == 0


def _ask(client: subprocess.Popen[str], query: str) -> str:
    """Return the line that a query returns."""
    assert client.stdin
    assert client.stdout
    client.stdin.write(f"{query}\n")
    client.stdin.flush()
    return client.stdout.readline()


@contextlib.contextmanager
def pooler_before(
    server: EmbeddedPostgres, *, pool_size: int = POOL_SIZE, limit: int = 120
) -> Iterator[Pooler]:
    """Run a pooler for the length of a with statement; skip the test if there is no PgBouncer.

    Args:
        server: the server.
        pool_size: how many server connections each pool may have.
        limit: for how many seconds a client waits for one.
    """
    if PROGRAM is None:
        pytest.skip("needs PgBouncer: install your system's (on Debian: apt-get install pgbouncer)")
    folder = server.socket_dir / f"pooler{pool_size}"
    folder.mkdir()
    settings = {
        "server": server.socket_dir,
        "folder": folder,
        "port": PORT,
        "pool_size": pool_size,
        "limit": limit,
    }
    (folder / "pgbouncer.ini").write_text(CONFIGURATION.format(**settings))
    roles = ["postgres", "shop_owner", "shop_reader"]
    (folder / "users").write_text("".join(f'"{role}" ""\n' for role in roles))
    if server._user:
        shutil.chown(folder, server._user)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own file
            [PROGRAM, folder / "pgbouncer.ini"], stdout=log, stderr=log, user=server._user
        )
    try:
        wait_until(lambda: _answers(process, folder), "PgBouncer answers")
        yield Pooler(server, folder)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _answers(process: subprocess.Popen[bytes], folder: Path) -> bool:
    assert process.poll() is None, (folder / "log").read_text()
    try:
        psycopg2.connect(host=str(folder), port=PORT, user="postgres", dbname="pgbouncer").close()
    except psycopg2.OperationalError:
        return False
    return True
