import io
import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from moto import mock_aws
from urllib3.exceptions import ProtocolError

from common.aws.exchange import Exchange
from common.errors import ConfigurationError
from tests.unit.answers import SEND, answer


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="exchange", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield Exchange.of("exchange", "run-1")


def test_everything_of_an_execution_is_stored_under_its_name(exchange: Exchange) -> None:
    assert exchange.key("db-sync.json") == "executions/run-1/db-sync.json"
    assert exchange.uri("db-sync.json") == "s3://exchange/executions/run-1/db-sync.json"


def test_json_is_written_and_read_back(exchange: Exchange) -> None:
    address = exchange.write_json("db-sync.json", {"tables": 42, "warnings": ["ä"]})

    assert address == "s3://exchange/executions/run-1/db-sync.json"
    with exchange.open("executions/run-1/db-sync.json") as stream:
        assert json.loads(stream.read()) == {"tables": 42, "warnings": ["ä"]}


def test_s3_counts_as_reachable_whatever_it_answers(exchange: Exchange) -> None:
    exchange.check_reachable()
    Exchange.of("no-such-bucket", "run-1").check_reachable()


def test_whether_s3_is_reachable_is_checked_without_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[AWSPreparedRequest] = []

    def refuse(_: object, request: AWSPreparedRequest) -> AWSResponse:
        asked.append(request)
        return answer(403)

    monkeypatch.setattr(SEND, refuse)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    Exchange.of("exchange", "run-1").check_reachable()

    assert [request.method for request in asked] == ["HEAD"]
    assert "Authorization" not in asked[0].headers


def test_a_file_is_uploaded_from_its_beginning_whatever_was_read_of_it(exchange: Exchange) -> None:
    content = io.BytesIO(b"12345")
    content.read()

    address = exchange.upload("part.csv.gz", content)

    assert address == "s3://exchange/executions/run-1/part.csv.gz"
    assert exchange.open("executions/run-1/part.csv.gz").read() == b"12345"


def test_a_large_file_is_uploaded_in_parts_two_at_a_time(exchange: Exchange) -> None:
    held: list[int] = []
    largest_held = 0
    send = exchange.client.upload_part

    def upload_part(**call: Any) -> Any:
        nonlocal largest_held
        held.append(call["PartNumber"])
        largest_held = max(largest_held, len(held))
        answer = send(**call)
        held.remove(call["PartNumber"])
        return answer

    exchange.client.upload_part = upload_part  # type: ignore[method-assign]
    content = os.urandom(33_000_000)  # bytes

    exchange.upload("report", io.BytesIO(content))

    stored = exchange.client.get_object(Bucket="exchange", Key="executions/run-1/report")
    assert stored["ETag"].endswith('-4"'), "four parts"
    assert stored["Body"].read() == content
    assert largest_held <= 2


def test_a_second_file_of_a_name_replaces_the_first(exchange: Exchange) -> None:
    exchange.write_json("db-sync.json", {"try": 1})
    exchange.write_json("db-sync.json", {"try": 2})

    assert json.loads(exchange.read("executions/run-1/db-sync.json")) == {"try": 2}


def test_an_objects_bytes_can_be_streamed(exchange: Exchange) -> None:
    exchange.upload("large", io.BytesIO(b"x" * 100_000))

    stream = exchange.open("executions/run-1/large")

    assert stream.read(10) == b"x" * 10
    assert len(stream.read()) == 99_990


class BrokenStream(io.BytesIO):
    """What urllib3 reads from a connection that breaks."""

    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002  # a stream's signature
        raise ProtocolError("Connection broken")


def test_a_download_that_breaks_off_names_the_object(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = StreamingBody(BrokenStream(), 10)
    monkeypatch.setattr(exchange.client, "get_object", lambda **_: {"Body": body})

    with pytest.raises(ConfigurationError, match="read s3://exchange/a: ResponseStreamingError"):
        exchange.read("a")


def test_an_object_that_is_missing_is_named(exchange: Exchange) -> None:
    with pytest.raises(ConfigurationError, match="s3://exchange/executions/run-1/none: NoSuch"):
        exchange.open("executions/run-1/none")


def test_a_bucket_that_is_missing_is_named(exchange: Exchange) -> None:
    elsewhere = Exchange(exchange.client, "elsewhere", "run-1")

    with pytest.raises(ConfigurationError, match="write s3://elsewhere/executions/run-1/a: NoSuch"):
        elsewhere.write_json("a", {})
    with pytest.raises(ConfigurationError, match="write s3://elsewhere/executions/run-1/b: NoSuch"):
        elsewhere.upload("b", io.BytesIO(b"x"))


def test_a_file_that_may_be_missing_is_none_if_it_is(exchange: Exchange) -> None:
    assert exchange.read_if_there("parts/end.json") is None

    exchange.write_json("parts/end.json", {})

    assert exchange.read_if_there("parts/end.json") == b"{}"


def test_a_bucket_that_is_missing_is_an_error_even_if_the_file_may_be(exchange: Exchange) -> None:
    elsewhere = Exchange(exchange.client, "elsewhere", "run-1")

    with pytest.raises(ConfigurationError, match="NoSuchBucket"):
        elsewhere.read_if_there("parts/end.json")


def test_a_file_that_may_not_be_read_is_an_error_and_not_missing(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    monkeypatch.setattr(exchange.client, "get_object", refuse)

    with pytest.raises(ConfigurationError, match="AccessDenied from GetObject"):
        exchange.read_if_there("parts/end.json")
