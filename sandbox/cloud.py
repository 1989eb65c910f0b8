"""A local AWS: one ministack process, bound to 127.0.0.1, with a temporary directory of its own."""

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.processes import Command, SandboxError, clean_environment, log_end, started

PROJECT = Path(__file__).resolve().parent.parent
AWS_VENV_BIN = PROJECT / ".venv-aws" / "bin"
ACCOUNT = "000000000000"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_TIMEOUT = 60  # seconds; an idle machine takes one


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running ministack and how to reach it."""

    endpoint: str
    process_id: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which any AWS tool talks to this AWS and to no other."""
        return {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.endpoint}


@contextlib.contextmanager
def local_aws(directory: Path) -> Iterator[LocalAws]:
    """Run ministack for the length of a with statement.

    Args:
        directory: where it may leave its files (its log, the Lambdas' code).

    Raises:
        SandboxError: it did not come up.
    """
    port = free_port()
    temporary = directory / "tmp"
    temporary.mkdir(parents=True)
    command = Command(
        [str(AWS_VENV_BIN / "ministack")],
        directory,
        clean_environment(temporary)
        | {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",  # would listen on 0.0.0.0:8883
        },
        directory / "aws.log",
    )
    with started(command) as process:
        cloud = LocalAws(f"http://127.0.0.1:{port}", process.pid)
        _wait_until_healthy(cloud, process, command.log)
        yield cloud


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_healthy(cloud: LocalAws, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), direct.open(f"{cloud.endpoint}/_ministack/health"):
            return
        time.sleep(0.1)
    raise SandboxError(f"The local AWS did not come up. Its log ends:\n{log_end(log)}")
