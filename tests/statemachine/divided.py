"""A DbSync whose sync is divided into parts, without databases: what a round does is a test's."""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.event import parse_event
from tests.statemachine.lambdas import RESULTS
from tests.support.bucket import BUCKET, REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOMENT = 0.02  # seconds, so that others may begin meanwhile
PATIENCE = 10.0  # seconds
SYNCED = {**RESULTS["db_sync"], "atomic": False}


@dataclass(slots=True)
class DividedSync:
    """The operations of DbSync, which go through `rounds`, each with the numbers of its parts.

    `errors` are raised, one at each call, by the operation of that name, or by that part. Each
    keeper has `turns` short turns, and then one that lasts until `ended`: a test must not end it
    before it has read the execution's history, which moto garbles when it stops a branch that is
    between two states.
    """

    s3: "S3Client"
    rounds: Sequence[Sequence[int]]
    concurrency: int = 8
    errors: dict[str | int, list[Exception]] = field(default_factory=dict)
    turns: int = 0
    turns_of: Counter[str] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    most_at_once: int = 0

    @classmethod
    def of(cls, *rounds: Sequence[int], concurrency: int = 8) -> "DividedSync":
        """Return one with an empty bucket."""
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        return cls(s3, rounds, concurrency)

    def __call__(self, event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
        """Do the event's operation."""
        rest = parse_event(event).rest
        match rest.get("operation"):
            case None:
                return self.divide(event["execution"], 1)
            case "keep_snapshot":
                return self._keep(rest["keeper"])
            case "sync_part":
                return self._sync_part(rest["part"]["part"])
            case "finish_sync":
                return self._finish(event["execution"], rest["divided"]["round"])
        raise AssertionError(f"no operation of DbSync: {rest}")

    def divide(self, execution: str, number: int) -> dict[str, Any]:
        """Write a round's list, and return what DbSync then returns."""
        parts = self.rounds[number - 1]
        key = f"executions/{execution}/parts/round-{number}.jsonl"
        lines = "".join(json.dumps({"part": part}) + "\n" for part in parts)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=lines.encode())
        return {
            "status": "divided",
            "bucket": BUCKET,
            "list": key,
            "round": number,
            "parts": len(parts),
            "concurrency": self.concurrency,
        }

    def _keep(self, keeper: str) -> dict[str, Any]:
        self._fail(f"keeper {keeper}")
        self.turns_of[keeper] += 1
        is_short = self.turns_of[keeper] <= self.turns
        return {"done": self.ended.wait(MOMENT if is_short else PATIENCE)}

    def _sync_part(self, part: int) -> dict[str, Any]:
        with self.lock:
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            time.sleep(MOMENT)
            self._fail(part)
        finally:
            with self.lock:
                self.running -= 1
        return {}

    def _finish(self, execution: str, number: int) -> dict[str, Any]:
        self._fail("finish_sync")
        if number < len(self.rounds):
            return self.divide(execution, number + 1)
        self.ended.set()
        return SYNCED

    def _fail(self, who: str | int) -> None:
        if errors := self.errors.get(who):
            raise errors.pop(0).with_traceback(None)  # of an earlier call
