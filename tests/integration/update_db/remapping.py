"""Remapping a test database by a listing that the test writes, and what comes of it."""

import csv
import functools
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pytest

from common.aws.exchange import Exchange
from common.entry import entry_point
from common.manifest import COLUMNS, Manifest, Part
from common.postgres.waits import WAITS, Waits
from sandbox.database import Database
from tests.support.bucket import BUCKET, EXECUTION, FOLDER, MANIFEST
from tests.support.lambda_context import FakeContext
from update_db.handler import handler, remap

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The table as most applications have it.
USERS = """
CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text UNIQUE)
"""
UNTOUCHED = {
    "updated": 0,
    "unchanged": 0,
    "skipped_no_cognito_user": 0,
    "skipped_no_db_user": 0,
    "skipped_ambiguous": 0,
    "unlinked": 0,
    "mismatched": 0,
    "unverified_email": 0,
}
REPORT = f"executions/{EXECUTION}/cognito-mapping.csv.gz"


@dataclass(frozen=True, slots=True)
class PoolUser:
    """A line of the listing, in its order; most tests need the first two values alone."""

    email: str
    sub: str
    username: str = "somebody"
    status: str = "CONFIRMED"
    enabled: str = "true"
    email_verified: str = "true"
    last_modified: str = "2026-03-01T10:00:00+00:00"


class Line(NamedTuple):
    """A line of the report."""

    email: str
    status: str
    old_sub: str
    new_sub: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remap:
    """What a remap returned and reported."""

    output: dict[str, Any]
    lines: list[Line]

    @property
    def counts(self) -> dict[str, int]:
        """The counts that are not 0."""
        return {name: self.output[name] for name in UNTOUCHED if self.output[name]}

    @property
    def warnings(self) -> str:
        return "\n".join(self.output["warnings"])

    def line_of(self, email: str) -> Line:
        """Return the only line about an email, as it is compared."""
        (line,) = [line for line in self.lines if line.email == email]
        return line


@dataclass(frozen=True, slots=True)
class Staging:
    """A marked staging database, and the bucket with the listing of its pool."""

    database: Database
    s3: "S3Client"
    exchange: Exchange
    waits: Waits = WAITS

    def remap(self, *users: PoolUser, **flags: bool) -> Remap:
        """Write a listing of these users and remap by it."""
        self.list_pool(users)
        return self.remap_as_listed(**flags)

    def remap_as_listed(self, **flags: bool) -> Remap:
        """Remap by what lies in the bucket; `flags` are fields of the execution's input."""
        handler = entry_point(functools.partial(remap, waits=self.waits))
        output = handler(event(**flags), FakeContext())
        return Remap(output, self.report())

    def remap_bytes(self, *users: PoolUser) -> dict[str, Any]:
        """Remap where the report may be no text; return the output."""
        self.list_pool(users)
        return handler(event(), FakeContext())

    def report(self) -> list[Line]:
        """Return the lines of the report that a remap has written."""
        body = self.s3.get_object(Bucket=BUCKET, Key=REPORT)["Body"].read()
        header, *lines = csv.reader(io.StringIO(gzip.decompress(body).decode(), newline=""))
        assert tuple(header) == Line._fields
        return [Line(*line) for line in lines]

    def list_pool(self, *parts: Sequence[PoolUser]) -> None:
        """Write a listing: its parts, and the manifest that names them."""
        named = []
        for number, users in enumerate(parts, 1):
            key = f"{FOLDER}/part-{number:05}.csv.gz"
            self.put(key, part_of(users))
            named.append(Part(key, len(users)))
        self.put_manifest(*named)

    def put_manifest(self, *parts: Part) -> None:
        users = sum(part.lines for part in parts)
        self.put(MANIFEST, json.dumps(Manifest(parts, users, pages=1).to_json()).encode())

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def subs(self, table: str = "users") -> dict[Any, Any]:
        """Return the sub of each row's id, as text."""
        return dict(self.database.rows(f"SELECT id, cognito_sub::text FROM {table} ORDER BY id"))

    def row_versions(self, table: str = "users") -> dict[Any, str]:
        """Return what changes when a row is written, even with the values that it had."""
        return dict(self.database.rows(f"SELECT id, xmin::text || ctid::text FROM {table}"))


def saving(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen just before the report is saved: all is written, nothing committed."""
    upload = Exchange.upload

    def upload_after_it(exchange: Exchange, name: str, content: IO[bytes]) -> str:
        happens()
        return upload(exchange, name, content)

    monkeypatch.setattr(Exchange, "upload", upload_after_it)


def event(**flags: bool) -> dict[str, Any]:
    """Return what the state machine hands to UpdateDb."""
    return {
        "execution": EXECUTION,
        "input": {"sync_cognito": True} | flags,
        "cognito_users": {
            "bucket": BUCKET,
            "manifest": MANIFEST,
            "users": 1,
            "pages": 1,
            "done": True,
        },
    }


def part_of(users: Sequence[PoolUser], columns: Sequence[str] = COLUMNS) -> bytes:
    """Return a part of a listing: gzipped CSV with a header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(astuple(user) for user in users)
    return gzip.compress(text.getvalue().encode())
