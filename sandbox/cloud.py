"""A local AWS: one ministack process, bound to 127.0.0.1, with a temporary directory of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
AWS_VENV_BIN = PROJECT / ".venv-aws" / "bin"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_TIMEOUT = 60  # seconds; an idle machine takes two
STOP_TIMEOUT = 10  # seconds


class SandboxError(Exception):
    """The sandbox could not be started; the message says which part, and why."""


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running ministack and how to reach it."""

    endpoint: str
    process_id: int
    log: Path

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
    log = directory / "aws.log"
    temporary = directory / "tmp"
    temporary.mkdir(parents=True)
    environment = clean_environment(temporary) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # would listen on 0.0.0.0:8883
    }
    with log.open("wb") as output, _process_group(environment, output) as process:
        cloud = LocalAws(f"http://127.0.0.1:{port}", process.pid, log)
        _wait_until_healthy(cloud, process)
        yield cloud


def clean_environment(temporary: Path) -> dict[str, str]:
    """Return this process's environment without what could lead elsewhere.

    Python's and AWS's own variables are left out: ministack hands its environment on to the
    Lambdas, and nobody's real account may be reached from here.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "LAMBDA_", "CDK_")) and name != "VIRTUAL_ENV"
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(temporary),
    }


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own group, and all that it started."""
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _process_group(
    environment: Mapping[str, str], output: object
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [AWS_VENV_BIN / "ministack"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]  # typeshed's IO union has no name to use
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop_group(process)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _wait_until_healthy(cloud: LocalAws, process: subprocess.Popen[bytes]) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), direct.open(f"{cloud.endpoint}/_ministack/health"):
            return
        time.sleep(0.1)
    tail = "\n".join(cloud.log.read_text(errors="replace").splitlines()[-5:])
    raise SandboxError(f"The local AWS did not come up at {cloud.endpoint}. Its log ends:\n{tail}")
