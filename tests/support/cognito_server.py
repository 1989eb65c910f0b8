"""A simulated Cognito over HTTP, for boto3 with an `endpoint_url`: in a thread, or a process.

In a thread, for tests, which may change the service while it runs:

    with serving(CognitoService(GeneratedUsers(130))) as server:
        client = server.client()

In a process of its own, for benchmarks, where it takes no processor time from the one that
is measured but its own core's:

    with separate_process(users=1_000_000, latency=0.1, quota=30) as server:
        os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = server.url
        ...
        server.statistics()
"""

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tests.support.cognito_service import POOL_ID, QUOTA, CognitoService, FailureError
from tests.support.cognito_users import GeneratedUsers

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

ROOT = Path(__file__).parents[2]
STATISTICS = "/statistics"
JSON = "application/x-amz-json-1.1"
DROP = 0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs; its pool's id is `pool_id`."""

    url: str
    pool_id: str = POOL_ID
    _http: "_Http | None" = None

    def replace(self, service: CognitoService) -> CognitoService:
        """Serve another service from now on, in a server of this process; return it."""
        assert self._http is not None
        self._http.service = service
        return service

    def client(self, config: Config | None = None) -> "CognitoIdentityProviderClient":
        """Return a client that talks to it."""
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

        `seconds` lie between the first request and the last one.
        """
        with urllib.request.urlopen(self.url + STATISTICS) as answer:  # noqa: S310  # our own
            statistics: dict[str, Any] = json.load(answer)
            return statistics


@contextmanager
def serving(service: CognitoService, *, latency: float = 0.0) -> Iterator[Server]:
    """Serve in a thread of this process until the with statement ends; `latency` in seconds."""
    loop = asyncio.new_event_loop()
    http = _Http(service, latency)
    port = loop.run_until_complete(http.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{port}", service.pool_id, http)
    finally:
        asyncio.run_coroutine_threadsafe(http.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


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


class _Http:
    """As much of HTTP/1.1 as botocore speaks: POST with a length, connections kept open."""

    def __init__(self, service: CognitoService, latency: float) -> None:
        self.service = service
        self._latency = latency
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen on a free port of this machine and return it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the client has gone, or the server is stopped
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        start, *lines = head.splitlines()
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, content, extra = self._answer(start, headers, body)
        if STATISTICS not in start:
            await asyncio.sleep(self._latency)
        if status == DROP:
            return False
        writer.write(
            f"HTTP/1.1 {status} .\r\nContent-Type: {JSON}\r\nContent-Length: {len(content)}\r\n"
            f"{extra}\r\n".encode()
            + content
        )
        await writer.drain()
        return True

    def _answer(self, start: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
        """Return status, body, and further header lines."""
        if STATISTICS in start:
            return 200, json.dumps(_statistics(self.service)).encode(), ""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            answer = self.service.answer(operation, json.loads(body))
        except FailureError as error:
            failure = error.failure
            content = json.dumps({"__type": failure.code, "message": failure.message})
            return failure.status, content.encode(), f"x-amzn-ErrorType: {failure.code}:\r\n"
        return 200, json.dumps(answer).encode(), ""


def _statistics(service: CognitoService) -> dict[str, Any]:
    arrivals = service.arrivals
    return {
        "requests": len(arrivals),
        "throttled": service.throttled,
        "busiest_second": service.busiest_second(),
        "seconds": arrivals[-1] - arrivals[0] if arrivals else 0.0,
    }


async def _serve_forever(service: CognitoService, latency: float) -> None:
    port = await _Http(service, latency).start()
    print(f"http://127.0.0.1:{port}", flush=True)  # noqa: T201  # the parent waits for it
    await asyncio.Event().wait()


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
    asyncio.run(_serve_forever(CognitoService(users, quota=options.quota), options.latency))


if __name__ == "__main__":
    main()
