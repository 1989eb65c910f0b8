"""A sandbox leaves nothing behind, however it ends."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.cloud import PROJECT
from tests.support.waiting import wait_until

TAG = "STAGING_SYNC_TEST"
STARTS_WITHIN = 120  # seconds; it ends within them too


class Up:
    """A running `python -m sandbox.up`, whose processes all have a tag in their environment."""

    def __init__(self, temporary: Path, output: Path) -> None:
        self.temporary = temporary
        self._output = output
        self._read = 0  # characters of what it printed
        self._tag = uuid.uuid4().hex
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.up"],
                cwd=PROJECT,
                env={**os.environ, TAG: self._tag, "TMPDIR": str(temporary)},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def read_until(self, text: str) -> str:
        """Return what it printed, up to the end of a line with this text."""
        line = re.compile(f".*{re.escape(text)}.*\n")

        def has_printed_or_ended() -> bool:
            has_ended = self._process.poll() is not None
            return bool(line.search(self._output.read_text())) or has_ended

        wait_until(has_printed_or_ended, f"it prints {text!r}", seconds=STARTS_WITHIN)
        printed = self._output.read_text()
        found = line.search(printed)
        assert found, f"it ended without printing {text!r}:\n{printed}"
        self._read = found.end()
        return printed[: found.end()]

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and the rest of what it printed."""
        self._process.send_signal(number)
        code = self._process.wait(STARTS_WITHIN)
        return code, self._output.read_text()[self._read :]

    def kill(self) -> None:
        """Kill all of its processes."""
        for process in self.processes():
            process.kill()
        self._process.wait(STARTS_WITHIN)

    def processes(self) -> list[psutil.Process]:
        """Return its running processes, even if their parent has ended."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def addresses(self) -> set[str]:
        """Return the addresses that its processes listen on."""
        return {
            connection.laddr.ip
            for process in self.processes()
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN and connection.laddr
        }

    def _is_ours(self, process: psutil.Process) -> bool:
        # A process that has ended and was not yet waited for has no environment.
        with contextlib.suppress(psutil.Error):
            return bool(process.environ().get(TAG) == self._tag)
        return False


def get(address: str) -> str:
    """Return what a server answers, or the status of its refusal."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address) as answer:
            return str(answer.read(), "utf-8")
    except urllib.error.HTTPError as error:
        return str(error.code)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A sandbox in another process; its path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="up-") as temporary:
        running = Up(Path(temporary), tmp_path / "output")
        yield running
        running.kill()


def test_a_sandbox_listens_on_localhost_only_and_ctrl_c_stops_everything(up: Up) -> None:
    printed = up.read_until("Ready")

    assert "AWS_ENDPOINT_URL=https://127.0.0.1:" in printed
    assert "aws stepfunctions start-execution --state-machine-arn arn:aws:states:" in printed
    assert up.addresses() == {"127.0.0.1"}
    (reports,) = re.findall(r"in a browser: (http://127\.0\.0\.1:\d+/)", printed)
    assert "No execution has ended yet" in get(reports)
    assert get(f"{reports}executions/../report.html") == get(f"{reports}etc/passwd") == "404"
    assert len(up.processes()) > 3  # itself, the local AWS, two servers
    assert list(up.temporary.iterdir()) != []

    code, rest = up.end(signal.SIGINT)

    assert (code, rest.strip()) == (0, "Stopped; nothing is left behind.")
    # So nothing listens either. The port is not checked: another program may use it by now.
    assert up.processes() == []
    assert list(up.temporary.iterdir()) == []


@pytest.mark.parametrize("line", ["Starting", "Filling"])
def test_a_sandbox_that_is_ended_while_it_starts_leaves_nothing_behind(up: Up, line: str) -> None:
    up.read_until(line)

    code, _ = up.end(signal.SIGTERM)

    assert code == 0
    assert up.processes() == []
    assert list(up.temporary.iterdir()) == []
