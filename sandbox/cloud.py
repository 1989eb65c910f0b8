"""A local AWS: one ministack process, bound to 127.0.0.1, with its own temporary directory.

It checks the calls of Lambdas and of the CDK against the policies of the calling role and of the
bucket. It does not check what AWS's services do for one another: Step Functions invoking a Lambda,
Scheduler starting an execution, Lambda writing logs.
"""

import contextlib
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from sandbox.processes import Command, SandboxError, clean_environment, log_end, started

PROJECT = Path(__file__).resolve().parent.parent
AWS_VENV_BIN = PROJECT / ".venv-aws" / "bin"
HOST = "127.0.0.1"
ACCOUNT = "000000000000"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_TIMEOUT = 60  # seconds; an idle machine takes one
CERTIFICATE, KEY, AUTHORITY = "server.pem", "key.pem", "ca.pem"
PROGRAM = Path(__file__).with_name("patched_ministack.py")


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running ministack and how to reach it."""

    endpoint: str
    authority: Path  # the certificate of the authority that signed its own
    process_id: int

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point every AWS tool to this AWS."""
        return {
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
        }


@contextlib.contextmanager
def local_aws(directory: Path) -> Iterator[LocalAws]:
    """Run ministack for the length of a with statement.

    Args:
        directory: for its files: its log and the Lambdas' code.

    Raises:
        SandboxError: it did not start.
    """
    port = free_port()
    temporary = directory / "tmp"
    temporary.mkdir(parents=True)
    authority = _certify(directory)
    command = Command(
        # -P: it must not import a module of this folder instead of its own.
        [str(AWS_VENV_BIN / "python"), "-P", str(PROGRAM)],
        directory,
        clean_environment(temporary) | _settings(port, directory),
        directory / "aws.log",
    )
    with started(command) as process:
        cloud = LocalAws(f"https://{HOST}:{port}", authority, process.pid)
        _wait_until_healthy(cloud, process, command.log)
        yield cloud


def _certify(directory: Path) -> Path:
    """Write a server certificate and its key; return the file of the authority's certificate."""
    authority = trustme.CA(organization_name="staging-sync sandbox")
    server = authority.issue_cert(HOST)
    server.cert_chain_pems[0].write_to_path(directory / CERTIFICATE)
    (directory / KEY).touch(mode=0o600)
    server.private_key_pem.write_to_path(directory / KEY)
    authority.cert_pem.write_to_path(directory / AUTHORITY)
    return directory / AUTHORITY


def _settings(port: int, directory: Path) -> dict[str, str]:
    """Return ministack's own variables, and those that it passes on to the Lambdas."""
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",  # would listen on 0.0.0.0:8883
        "AUTH": "true",
        # Without TLS the buckets' own policies refuse everything, CDK's assets included.
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(directory / CERTIFICATE),
        "MINISTACK_SSL_KEY": str(directory / KEY),
        "AWS_CA_BUNDLE": str(directory / AUTHORITY),
        # Retries do not wait: there is nothing here that needs time to recover.
        "SFN_WAIT_SCALE": "0",
    }


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_healthy(cloud: LocalAws, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cloud.authority)),
    )
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), direct.open(f"{cloud.endpoint}/_ministack/health"):
            return
        time.sleep(0.1)
    raise SandboxError(f"The local AWS did not start. Its log ends:\n{log_end(log)}")
