"""The listing of the user pool, read from the bucket into a temporary table."""

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from psycopg2 import extensions, sql

from common.aws.exchange import Exchange
from common.errors import ConfigurationError, SchemaMismatch, StagingSyncError
from common.manifest import Manifest, Part
from common.postgres.database import Session

COPY_PART = sql.SQL("COPY pg_temp.staging_sync_pool FROM STDIN (FORMAT csv, HEADER)")
BROKEN = (OSError, EOFError, zlib.error)
TAKES_ALL = frozenset({"UTF8", "SQL_ASCII"})  # every character, or bytes of any meaning
# Parts that are downloaded while one is loaded; each has less than 1 MB, compressed.
FETCHED_AHEAD = 4


def load_mapping(target: Session, exchange: Exchange, manifest_key: str) -> Manifest:
    """Copy exactly the parts that the manifest lists into `staging_sync_pool`.

    Returns:
        The manifest.

    Raises:
        ConfigurationError: the manifest or a part is missing or broken, or a part does not have
            as many lines as the manifest says.
    """
    manifest = Manifest.parse(exchange.read(manifest_key))
    encoding = target.server_encoding
    skipped = 0
    for part, compressed in _fetch_all(exchange, manifest.parts):
        content = compressed
        if encoding not in TAKES_ALL:
            content, beyond = _within(encoding, compressed, part)
            skipped += beyond
        lines = _load_part(target, content, part)
        if lines != part.lines:
            raise _unusable(part, f"it has {lines} lines where the manifest says {part.lines}")
    if not skipped:
        return manifest
    return replace(manifest, warnings=(*manifest.warnings, _skipped(skipped, encoding)))


def _fetch_all(exchange: Exchange, parts: tuple[Part, ...]) -> Iterator[tuple[Part, bytes]]:
    """Yield the parts in order, compressed; download the next ones meanwhile."""
    fetched: deque[tuple[Part, Future[bytes]]] = deque()
    with ThreadPoolExecutor(FETCHED_AHEAD) as threads:
        for part in parts:
            fetched.append((part, threads.submit(exchange.read, part.key)))
            if len(fetched) > FETCHED_AHEAD:
                first, content = fetched.popleft()
                yield first, content.result()
        for first, content in fetched:
            yield first, content.result()


def _within(encoding: str, compressed: bytes, part: Part) -> tuple[bytes, int]:
    """Return a part that an encoding can represent, and how many users it cannot represent.

    Such a user gets no email, so that an incomplete one matches nobody, and escapes for the
    characters that the encoding lacks.
    """
    codec = extensions.encodings.get(encoding, "ascii")
    try:
        text = io.StringIO(gzip.decompress(compressed).decode(), newline="")
        header, *rows = csv.reader(text)
    except (*BROKEN, ValueError, csv.Error) as error:
        raise _unusable(part, f"{type(error).__name__} while reading it") from None
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    skipped = 0
    for email, *others in rows:
        written = [each.encode(codec, "backslashreplace").decode(codec) for each in others]
        is_named = written == others and email.encode(codec, "ignore").decode(codec) == email
        writer.writerow([email if is_named else "", *written])
        skipped += not is_named
    return gzip.compress(out.getvalue().encode(), compresslevel=1), skipped


def _skipped(users: int, encoding: str) -> str:
    return (
        f"{users} users of the pool were skipped: the database's encoding, {encoding}, lacks a"
        " character of their attributes, so that no row can be theirs. The listing in the bucket"
        " names them."
    )


def _load_part(target: Session, compressed: bytes, part: Part) -> int:
    content = _Unzipped(compressed)
    try:
        return target.copy_in(COPY_PART, content)
    except StagingSyncError as error:
        if content.error:
            raise _unusable(part, f"{type(content.error).__name__} while unpacking it") from error
        if isinstance(error, SchemaMismatch):  # the temporary table takes every line of a listing
            raise _unusable(part, "its lines are not those of a listing") from error
        raise


class _Unzipped:
    """A part's content; keeps the error with which unpacking failed.

    The driver replaces an exception of `read` by an error of the server.
    """

    def __init__(self, compressed: bytes) -> None:
        self._content = gzip.GzipFile(fileobj=io.BytesIO(compressed))
        self.error: Exception | None = None

    def read(self, size: int, /) -> bytes:
        try:
            return self._content.read(size)
        except BROKEN as error:
            self.error = error
            raise


def _unusable(part: Part, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The part {part.key} of the Cognito users' listing cannot be used: {why}. Start a new"
        " execution, which lists the pool again. Nothing was written."
    )
