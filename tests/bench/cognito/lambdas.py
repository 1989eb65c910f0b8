"""Running a Lambda's handler in a process of its own, measured from outside."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.exchange import Exchange
from sandbox.clients import Clients
from sandbox.cloud import LocalAws
from sandbox.processes import clean_environment
from tests.bench.servers import NAME, Server

ROOT = Path(__file__).resolve().parents[3]
BUCKET = "exchange"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a handler returned, the seconds it took, and bytes of memory at its process's peak."""

    output: dict[str, Any]
    seconds: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Account:
    """A local AWS with a bucket and the database's secret, for the Lambdas to work in."""

    clients: Clients
    environment: Mapping[str, str]

    @classmethod
    def of(cls, cloud: LocalAws, database: Server) -> "Account":
        """Create the bucket and the secret."""
        clients = Clients.of(cloud)
        clients.s3.create_bucket(Bucket=BUCKET)
        secret = {
            "host": str(database.postgres.socket_dir),
            "port": 5432,
            "username": "postgres",
            "password": "none",
            "dbname": NAME,
        }
        stored = clients.secrets.create_secret(Name="staging", SecretString=json.dumps(secret))
        environment = {
            **clean_environment(Path(tempfile.gettempdir())),
            **cloud.environment,
            "EXCHANGE_BUCKET": BUCKET,
            "STAGING_SECRET_ARN": stored["ARN"],
            "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}",
        }
        return cls(clients, environment)

    def exchange(self, execution: str) -> Exchange:
        """Return an execution's folder."""
        return Exchange(self.clients.s3, BUCKET, execution)

    def invoke(
        self,
        name: str,
        event: dict[str, Any],
        *,
        seconds: float = 900.0,
        environment: Mapping[str, str] | None = None,
    ) -> Invocation:
        """Invoke a Lambda.

        Args:
            name: its package.
            event: what it is called with.
            seconds: its timeout.
            environment: further variables.

        Raises:
            RuntimeError: it failed; with what it logged.
        """
        with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as logged:
            with subprocess.Popen(  # noqa: S603 - every argument is ours
                [sys.executable, "-m", "tests.bench.cognito.invoke", name, str(seconds)],
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=logged,
                text=True,
                env={**self.environment, **(environment or {})},
            ) as process:
                try:
                    assert process.stdin is not None
                    process.stdin.write(json.dumps(event))
                    process.stdin.close()
                    # A child's peak begins with what its parent held at the fork: less than
                    # boto3 alone needs.
                    _, status, usage = os.wait4(process.pid, 0)
                except BaseException:
                    process.kill()
                    raise
                process.returncode = os.waitstatus_to_exitcode(status)
            printed.seek(0)
            logged.seek(0)
            if process.returncode:
                raise RuntimeError(f"{name} failed: {logged.read()[-3000:]}")
            answer = json.load(printed)
        unit = 1 if sys.platform == "darwin" else 1024  # kilobytes on Linux, bytes on macOS
        return Invocation(answer["output"], answer["seconds"], usage.ru_maxrss * unit)
