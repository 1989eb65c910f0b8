import time
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from common.aws.exchange import Exchange
from db_sync.parts.board import Board, BucketBoard, End, Kept, News
from tests.support.board import MemoryBoard


@pytest.fixture(params=["bucket", "memory"])
def board(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """The board that is deployed, and that of the tests, which must be the same to its readers."""
    if request.param == "memory":
        yield MemoryBoard()
        return
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="exchange", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield BucketBoard(Exchange.of("exchange", "run-1"))


def kept(snapshot: str, *, epoch: int = 1, until: float = 0.0) -> Kept:
    return Kept(snapshot, epoch, "2026-01-01T00:00:00+00:00", until)


def test_a_new_board_is_empty(board: Board) -> None:
    assert board.kept() == []
    assert board.end() is None
    assert News.of(board).last_epoch == 0


def test_what_is_written_is_read_back(board: Board) -> None:
    written, end = kept("00000003-00000006-1", until=time.time()), End(1, failed=True)
    board.keep("a", written)
    board.write_end(end)

    assert board.kept() == [written]
    assert board.end() == end


def test_the_newest_epoch_comes_first_and_then_the_latest_end(board: Board) -> None:
    board.keep("a", kept("early", until=1.0))
    board.keep("b", kept("late", until=2.0))
    assert [each.snapshot for each in board.kept()] == ["late", "early"]

    board.keep("a", kept("new", epoch=2, until=0.0))

    assert [each.snapshot for each in board.kept()] == ["new", "late"]
    assert [each.snapshot for each in News.of(board).current] == ["new"]


def test_a_keepers_last_word_replaces_its_earlier_one(board: Board) -> None:
    board.keep("a", kept("first"))
    board.keep("a", kept("second"))

    assert [each.snapshot for each in board.kept()] == ["second"]


def test_nothing_of_an_epoch_that_has_ended_is_current(board: Board) -> None:
    board.keep("a", kept("old"))
    board.write_end(End(1, failed=True))
    assert News.of(board).current == []
    assert News.of(board).last_epoch == 1

    board.keep("b", kept("new", epoch=2))

    assert [each.snapshot for each in News.of(board).current] == ["new"]


def test_the_files_are_in_the_executions_own_folder() -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="exchange")
        board = BucketBoard(Exchange(s3, "exchange", "run-1"))
        board.keep("a", kept("x"))
        board.keep("b", kept("y"))
        board.write_end(End(1, failed=False))
        names = [each["Key"] for each in s3.list_objects_v2(Bucket="exchange")["Contents"]]

    assert names == [
        f"executions/run-1/parts/{name}.json" for name in ("end", "keeper-a", "keeper-b")
    ]
