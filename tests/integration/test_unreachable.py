"""Secrets Manager and S3 behind an address that swallows packets, as in a VPC without a route."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.aws.exchange import Exchange
from common.aws.secrets import read_database_secret
from common.errors import ConfigurationError
from db_sync.handler import handler as db_sync
from tests.support.lambda_context import FakeContext

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/production-AbCdEf"
HOST = "aws.test"
ADDRESSES = 8  # as many as S3's name has; the time to connect is granted to each
MOST = 20.0  # seconds


@pytest.fixture
def swallowing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put an address that answers nothing in the place of AWS: a listener whose queue is full."""
    waiting = []
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        for _ in range(4):
            waiting.append(connection := socket.socket())
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        real: Callable[..., list[Any]] = socket.getaddrinfo

        def several_addresses(host: str, *arguments: Any, **options: Any) -> list[Any]:
            if HOST not in str(host):
                return real(host, *arguments, **options)
            return real("127.0.0.1", *arguments, **options)[:1] * ADDRESSES

        monkeypatch.setattr(socket, "getaddrinfo", several_addresses)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{full.getsockname()[1]}")
        yield
        for connection in waiting:
            connection.close()


def failure(call: Callable[[], object]) -> tuple[str, float]:
    """Return what a call says that must fail, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        call()
    return str(caught.value), time.monotonic() - began


@pytest.mark.usefixtures("swallowing")
def test_a_service_that_cannot_be_reached_is_named_within_20_s_all_tries_included(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "PROD_SECRET_ARN": ARN,
        "STAGING_SECRET_ARN": ARN,
        "EXCHANGE_BUCKET": "exchange",
    }.items():
        monkeypatch.setenv(name, value)
    exchange = Exchange.of("exchange", "run-1")
    calls: dict[str, Callable[[], object]] = {
        f"Could not read the secret {ARN}": lambda: read_database_secret(ARN),
        "Could not read s3://exchange/executions/run-1/x": lambda: exchange.open(exchange.key("x")),
        "Could not write s3://exchange/executions/run-1/x": lambda: exchange.write_json("x", {}),
        # Before it reads a row, though it needs S3 only at the end.
        "Could not reach s3://exchange": lambda: db_sync(
            {"execution": "run-1", "input": {}}, FakeContext()
        ),
    }
    with ThreadPoolExecutor(len(calls)) as threads:  # they wait at the same time
        failures = dict(zip(calls, threads.map(failure, calls.values()), strict=True))

    for doing, (said, seconds) in failures.items():
        assert said.startswith(f"{doing}: ConnectTimeoutError. ")
        assert "a subnet without a NAT needs a VPC endpoint" in said
        assert seconds < MOST
