"""A sandbox that has ended, however it ended, leaves nothing behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil
import pytest

from sandbox.cloud import PROJECT

TAG = "STAGING_SYNC_TEST"
TIMEOUT = 120  # seconds


class Up:
    """A running `python -m sandbox.up`, all of whose processes carry a tag."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self._tag = uuid.uuid4().hex
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.up"],
            cwd=PROJECT,
            env={**os.environ, TAG: self._tag, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def _output(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def read_until(self, text: str) -> str:
        """Return what it printed, up to a line that holds this text."""
        lines = ""
        for line in self._output:
            lines += line
            if text in line:
                return lines
        raise AssertionError(f"it ended without printing {text!r}:\n{lines}")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and the rest of what it printed."""
        self._process.send_signal(number)
        rest, _ = self._process.communicate(timeout=TIMEOUT)
        return self._process.returncode, rest

    def processes(self) -> list[psutil.Process]:
        """Return what runs of it, whoever the parent is by now."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def listeners(self) -> set[tuple[str, int]]:
        """Return the addresses and ports that its processes listen on."""
        return {
            (connection.laddr.ip, connection.laddr.port)
            for process in self.processes()
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN and connection.laddr
        }

    def _is_ours(self, process: psutil.Process) -> bool:
        # What has ended and was not yet collected by its parent has no environment any more.
        with contextlib.suppress(psutil.Error):
            return bool(process.environ().get(TAG) == self._tag)
        return False


@pytest.fixture
def up() -> Iterator[Up]:
    """A sandbox in a process of its own; its path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="up-") as temporary:
        running = Up(Path(temporary))
        yield running
        for process in running.processes():
            process.kill()


def test_a_sandbox_listens_on_the_machine_only_and_ctrl_c_takes_everything_down(up: Up) -> None:
    printed = up.read_until("Ready")

    assert "AWS_ENDPOINT_URL=http://127.0.0.1:" in printed
    assert "aws stepfunctions start-execution --state-machine-arn arn:aws:states:" in printed
    listeners = up.listeners()
    assert {address for address, _ in listeners} == {"127.0.0.1"}
    assert len(up.processes()) > 3  # itself, the local AWS, two servers
    assert list(up.temporary.iterdir()) != []

    code, rest = up.end(signal.SIGINT)

    assert (code, rest.strip()) == (0, "Stopped; nothing is left behind.")
    assert up.processes() == []
    assert list(up.temporary.iterdir()) == []
    for address in listeners:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(address):
            pass


@pytest.mark.parametrize("line", ["Starting", "Filling"])
def test_a_sandbox_that_is_ended_while_it_starts_leaves_nothing_behind(up: Up, line: str) -> None:
    up.read_until(line)

    code, _ = up.end(signal.SIGTERM)

    assert code == 0
    assert up.processes() == []
    assert list(up.temporary.iterdir()) == []
