"""A transaction pooler in front of a test server: a real PgBouncer with a pool of one."""

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
default_pool_size = 1
server_idle_timeout = 0
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

    def application_finds(self, database: Database, user: str = "postgres") -> dict[str, Any]:
        """Return the state of the server connection that the application's next client gets.

        Read by psql, which sets nothing itself.
        """
        path = f"{self.server.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        said = subprocess.run(  # noqa: S603  # our own statement
            [str(shutil.which("psql", path=path)), "-XAtc", STATE, self.url(database, user)],
            check=True,
            capture_output=True,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
        ).stdout
        state: dict[str, Any] = json.loads(said)
        return state


@contextlib.contextmanager
def pooler_before(server: EmbeddedPostgres) -> Iterator[Pooler]:
    """Run a pooler for the length of a with statement; skip the test if there is no PgBouncer."""
    if PROGRAM is None:
        pytest.skip("needs PgBouncer: install your system's (on Debian: apt-get install pgbouncer)")
    folder = server.socket_dir / "pooler"
    folder.mkdir()
    settings = {"server": server.socket_dir, "folder": folder, "port": PORT}
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
