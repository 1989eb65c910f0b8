"""UpdateDb: the listing is read exactly as its manifest says, or refused."""

import csv
import gzip
import io
import json
from typing import IO, Any, cast

import pytest
from botocore.response import StreamingBody
from urllib3.exceptions import ProtocolError

from common.aws.exchange import Exchange
from common.errors import ConfigurationError
from common.manifest import COLUMNS, Manifest, Part
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser, Staging, event, part_of
from tests.support.bucket import BUCKET, FOLDER, MANIFEST
from tests.support.lambda_context import FakeContext
from update_db.handler import handler
from update_db.mapping import FETCHED_AHEAD

PART = f"{FOLDER}/part-00001.csv.gz"
POOL = [PoolUser(f"u{number}@example.com", f"staging-{number}") for number in range(1, 4)]
PART_OF_POOL = part_of(POOL)


@pytest.fixture
def staging(make_staging: MakeStaging) -> Staging:
    """Three people, none of whom has their sub yet, and a listing of all three."""
    rows = ", ".join(f"({number}, 'u{number}@example.com', 'p-{number}')" for number in range(1, 4))
    made = make_staging(f"INSERT INTO users VALUES {rows}")
    made.list_pool(POOL)
    return made


def assert_refused(staging: Staging, *sentences: str, **changes: Any) -> None:
    """Remap with a changed event, and see that it is refused and nothing was written."""
    before = staging.row_versions()
    with pytest.raises(ConfigurationError) as caught:
        handler(event() | changes, FakeContext())
    for sentence in sentences:
        assert sentence in str(caught.value)
    assert "example.com" not in str(caught.value)
    assert staging.row_versions() == before


def test_all_parts_of_a_listing_are_read(staging: Staging) -> None:
    staging.list_pool(POOL[:1], POOL[1:])

    result = staging.remap_as_listed()

    assert staging.subs() == {1: "staging-1", 2: "staging-2", 3: "staging-3"}
    assert result.counts == {"updated": 3}


def test_parts_beyond_those_that_are_fetched_ahead_are_read_too(make_staging: MakeStaging) -> None:
    numbers = range(3 * FETCHED_AHEAD)
    rows = ", ".join(f"({number}, 'u{number}@example.com', NULL)" for number in numbers)
    staging = make_staging(f"INSERT INTO users VALUES {rows}")
    staging.list_pool(*([PoolUser(f"u{number}@example.com", f"s-{number}")] for number in numbers))

    result = staging.remap_as_listed()

    assert staging.subs() == {number: f"s-{number}" for number in numbers}
    assert result.counts == {"updated": len(numbers)}


def test_the_listings_warnings_are_handed_on(staging: Staging) -> None:
    manifest = Manifest((Part(PART, 3),), 3, pages=1, warnings=("The listing is short.",))
    staging.put(MANIFEST, json.dumps(manifest.to_json()).encode())

    assert staging.remap_as_listed().warnings == "The listing is short."


def test_a_part_that_the_manifest_does_not_name_is_ignored(staging: Staging) -> None:
    staging.put(f"{FOLDER}/part-00002.csv.gz", part_of([PoolUser("u1@example.com", "stale")]))

    result = staging.remap_as_listed()

    assert staging.subs()[1] == "staging-1"
    assert result.counts == {"updated": 3}


def test_values_with_quotes_commas_and_line_breaks_survive(make_staging: MakeStaging) -> None:
    staging = make_staging("INSERT INTO users VALUES (1, '\"a, b\"@example.com', 'p-1')")

    result = staging.remap(
        PoolUser('"A, b"@example.com\n', "staging-1", username='name "with"\r\nbreaks, \\N \\.')
    )

    assert staging.subs() == {1: "staging-1"}
    assert result.counts == {"updated": 1}


def test_a_missing_manifest_is_named(staging: Staging) -> None:
    staging.s3.delete_object(Bucket=BUCKET, Key=MANIFEST)

    assert_refused(staging, f"s3://{BUCKET}/{MANIFEST}: NoSuchKey")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b'{"users": 3}', 'it has no list of "parts"'),
        (json.dumps({"parts": [], "users": 0, "pages": 1}).encode(), "is not complete"),
        (
            json.dumps(
                {"parts": [{"key": PART, "lines": 3}], "users": 4, "pages": 1, "complete": True}
            ).encode(),
            "its parts have 3 lines for 4 users",
        ),
    ],
)
def test_a_malformed_manifest_is_refused(staging: Staging, content: bytes, sentence: str) -> None:
    staging.put(MANIFEST, content)

    assert_refused(staging, sentence, "Start a new execution")


def test_a_missing_part_is_named(staging: Staging) -> None:
    staging.s3.delete_object(Bucket=BUCKET, Key=PART)

    assert_refused(staging, f"s3://{BUCKET}/{PART}: NoSuchKey")


def test_a_missing_last_part_is_named_too(staging: Staging) -> None:
    staging.list_pool(POOL[:1], POOL[1:])
    last = f"{FOLDER}/part-00002.csv.gz"
    staging.s3.delete_object(Bucket=BUCKET, Key=last)

    assert_refused(staging, f"s3://{BUCKET}/{last}: NoSuchKey")


@pytest.mark.parametrize("broken", [MANIFEST, PART])
def test_a_download_that_breaks_off_names_the_file(
    staging: Staging, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    whole = Exchange.open

    def break_off(exchange: Exchange, key: str) -> IO[bytes]:
        if key != broken:
            return whole(exchange, key)
        return cast("IO[bytes]", StreamingBody(BrokenStream(), 10))

    monkeypatch.setattr(Exchange, "open", break_off)

    assert_refused(staging, f"s3://{BUCKET}/{broken}: ResponseStreamingError")


class BrokenStream(io.BytesIO):
    """What urllib3 reads from a connection that breaks off."""

    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002  # as a stream has it
        raise ProtocolError("Connection broken")


@pytest.mark.parametrize("lines", [2, 4])
def test_a_part_with_other_lines_than_the_manifest_says_is_refused(
    staging: Staging, lines: int
) -> None:
    staging.put_manifest(Part(PART, lines))

    assert_refused(staging, PART, f"it has 3 lines where the manifest says {lines}")


def _with_columns(*columns: str) -> bytes:
    """Return a part whose lines have these columns and no other."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([columns, *(columns for _ in POOL)])
    return gzip.compress(text.getvalue().encode())


BROKEN = {
    "empty": b"",
    "not gzipped": gzip.decompress(PART_OF_POOL),
    "cut off": PART_OF_POOL[:-12],
    "damaged": PART_OF_POOL[:30] + b"\x00\x00\x00" + PART_OF_POOL[33:],
    "with another checksum": PART_OF_POOL[:-8] + b"\x00" * 8,
}
NO_LISTING = {
    "too few columns": _with_columns(*COLUMNS[:-1]),
    "too many columns": _with_columns(*COLUMNS, "phone"),
    "no dates": _with_columns(*COLUMNS),
    "no sub": part_of([PoolUser("u1@example.com", "")] * 3),
    "no UTF-8": gzip.compress(b"h\n" + b"\xff,s,u,c,true,true,\n" * 3),
    "an open quote": gzip.compress(b'h\n"a@example.com,s,u,c,true,true,\n' * 3),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_part_that_cannot_be_unpacked_is_refused(staging: Staging, content: bytes) -> None:
    staging.put(PART, content)

    assert_refused(staging, PART, "cannot be used", "Nothing was written")


@pytest.mark.parametrize("content", NO_LISTING.values(), ids=NO_LISTING)
def test_a_part_that_is_no_listing_is_refused(staging: Staging, content: bytes) -> None:
    staging.put(PART, content)

    assert_refused(staging, PART, "its lines are not those of a listing", "Nothing was written")


@pytest.mark.parametrize(
    "listing",
    [
        {"manifest": "executions/run-2/cognito-users/manifest.json"},
        {"manifest": "executions/run-10/cognito-users/manifest.json"},
        {"manifest": "manifest.json"},
        {"manifest": None},
        {},
        None,
        "executions/run-1/cognito-users/manifest.json",
    ],
)
def test_a_manifest_of_another_execution_or_none_is_refused(
    staging: Staging, listing: object
) -> None:
    staging.put("executions/run-2/cognito-users/manifest.json", b"{}")

    assert_refused(staging, "does not name this execution's manifest", cognito_users=listing)
