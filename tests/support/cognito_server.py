"""A simulated Cognito over HTTP, for boto3 with an `endpoint_url`: in a thread or a process.

In a thread, for tests, which may change the service while it runs:

    with serving(CognitoService(GeneratedUsers(130))) as server:
        client = server.client()

In a separate process, for benchmarks, so that it does not count as part of the measured one:

    with separate_process(users=1_000_000, latency=0.1, quota=30) as server:
        os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = server.url
        ...
        server.statistics()
"""

import argparse
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tests.support.cognito_service import DROPPED, POOL_ID, QUOTA, CognitoService, FailureError
from tests.support.cognito_users import GeneratedUsers

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

ROOT = Path(__file__).parents[2]
JSON = "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and the id of its pool."""

    url: str
    pool_id: str = POOL_ID
    _http: "_Http | None" = None

    def replace(self, service: CognitoService) -> CognitoService:
        """Serve another service from now on, in a server of this process; return it."""
        assert self._http is not None
        self._http.service = service
        return service

    def client(self, config: Config | None = None) -> "CognitoIdentityProviderClient":
        """Return a client for it."""
        return boto3.client(
            "cognito-idp",
            endpoint_url=self.url,
            region_name=self.pool_id.split("_")[0],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def statistics(self) -> dict[str, Any]:
        """Return `{"requests", "throttled", "busiest_second", "seconds"}` of ListUsers so far.

        `seconds` is the time between the first request and the last.
        """
        with urllib.request.urlopen(self.url) as answer:  # noqa: S310  # our own
            statistics: dict[str, Any] = json.load(answer)
            return statistics


@contextmanager
def serving(service: CognitoService, *, latency: float = 0.0) -> Iterator[Server]:
    """Serve in a thread of this process until the with statement ends; `latency` in seconds."""
    with _Http(service, latency) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield Server(http.url, service.pool_id, http)
        finally:
            http.shutdown()
            thread.join()


@contextmanager
def separate_process(
    *, users: int, latency: float = 0.1, quota: float = QUOTA, seed: int = 0, varied: bool = True
) -> Iterator[Server]:
    """Serve `GeneratedUsers(users, seed, varied)` in a process until the with statement ends."""
    options = {"--users": users, "--latency": latency, "--quota": quota, "--seed": seed}
    process = subprocess.Popen(  # noqa: S603  # our own module
        [
            *(sys.executable, "-m", "tests.support.cognito_server"),
            *(str(part) for option in options.items() for part in option),
            *([] if varied else ["--plain"]),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield Server(process.stdout.readline().strip())
        finally:
            process.terminate()


class _Http(ThreadingHTTPServer):
    """Listens on a free port of this machine; each connection has a thread of its own."""

    request_queue_size = 64  # more than the connections that a client opens at once

    def __init__(self, service: CognitoService, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service
        self.latency = latency
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Ask the service, which answers one request at a time.

        Raises:
            FailureError: it refuses the request.
        """
        with self._lock:
            return self.service.answer(operation, request)


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection, which stays open between requests, as Cognito's do."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is sent in one piece
    server: _Http

    def do_POST(self) -> None:  # http.server's name
        """Answer a call of the Cognito API."""
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        failure = None
        try:
            answer = self.server.answer(operation, request)
        except FailureError as error:
            failure = error.failure
            answer = {"__type": failure.code, "message": failure.message}
        time.sleep(self.server.latency)
        if failure is DROPPED:
            self.close_connection = True
        elif failure:
            self._send(failure.status, answer, error_type=f"{failure.code}:")
        else:
            self._send(200, answer)

    def do_GET(self) -> None:  # http.server's name
        """Answer with the statistics, whatever the path."""
        self._send(200, _statistics(self.server.service))

    def _send(self, status: int, content: dict[str, Any], error_type: str = "") -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(body)))
        if error_type:
            self.send_header("x-amzn-ErrorType", error_type)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log no requests."""


def _statistics(service: CognitoService) -> dict[str, Any]:
    arrivals = service.arrivals
    return {
        "requests": len(arrivals),
        "throttled": service.throttled,
        "busiest_second": service.busiest_second(),
        "seconds": arrivals[-1] - arrivals[0] if arrivals else 0.0,
    }


def main() -> None:
    """Serve until the process is ended; print the URL first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds")
    parser.add_argument("--quota", type=float, default=QUOTA, help="requests per second")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="users without special cases")
    options = parser.parse_args()
    users = GeneratedUsers(options.users, options.seed, varied=not options.plain)
    with _Http(CognitoService(users, quota=options.quota), options.latency) as http:
        print(http.url, flush=True)  # noqa: T201  # the parent waits for it
        http.serve_forever()


if __name__ == "__main__":
    main()
