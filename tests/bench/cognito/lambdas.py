"""Runs a Lambda's handler in a separate process and measures it from outside."""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.aws.exchange import Exchange
from sandbox.clients import Clients
from sandbox.cloud import LocalAws
from sandbox.database import Database
from sandbox.processes import clean_environment
from tests.bench.measure import run_measured
from tests.support.bucket import BUCKET
from tests.support.masked_emails import KEY


@dataclass(frozen=True, slots=True)
class Invocation:
    """A handler's output, its seconds, and its process's peak memory in bytes."""

    output: dict[str, Any]
    seconds: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Account:
    """A local AWS with a bucket and the database's secret, for the Lambdas."""

    clients: Clients
    environment: Mapping[str, str]

    @classmethod
    def of(cls, cloud: LocalAws, database: Database) -> "Account":
        """Create the bucket and the secrets."""
        clients = Clients.of(cloud)
        clients.s3.create_bucket(Bucket=BUCKET)
        secret = {
            "host": str(database.server.socket_dir),
            "port": 5432,
            "username": "postgres",
            "password": "none",
            "dbname": database.name,
        }
        stored = clients.secrets.create_secret(Name="staging", SecretString=json.dumps(secret))
        key = clients.secrets.create_secret(Name="mask-key", SecretString=KEY)
        environment = {
            **clean_environment(Path(tempfile.gettempdir())),
            **cloud.environment,
            "EXCHANGE_BUCKET": BUCKET,
            "STAGING_SECRET_ARN": stored["ARN"],
            "MASK_KEY_SECRET_ARN": key["ARN"],
            "POWERTOOLS_METRICS_DISABLED": "true",  # standard output is for the measurement
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
            event: its event.
            seconds: its timeout.
            environment: further environment variables.

        Raises:
            RuntimeError: it failed; has the end of its log.
        """
        printed, peak_memory = run_measured(
            [sys.executable, "-m", "tests.bench.cognito.invoke", name, str(seconds)],
            {**self.environment, **(environment or {})},
            json.dumps(event),
        )
        answer = json.loads(printed)
        return Invocation(answer["output"], answer["seconds"], peak_memory)
