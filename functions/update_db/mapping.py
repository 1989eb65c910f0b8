"""The listing of the user pool, read from the bucket into a temporary table."""

import csv
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from psycopg2 import extensions, sql

from common.aws.exchange import Exchange
from common.errors import ConfigurationError, SchemaMismatch
from common.manifest import Manifest, Part
from common.postgres.database import Session

COPY_PART = sql.SQL("COPY pg_temp.staging_sync_pool FROM STDIN (FORMAT csv, HEADER)")
TAKES_ALL = frozenset({"UTF8", "SQL_ASCII"})  # every character, or bytes of any meaning
# Parts that are downloaded while one is loaded; each has less than 1 MB, compressed.
FETCHED_AHEAD = 4
UNPACKED_AHEAD = 1  # meanwhile; each has some 1.5 MB
GZIP = zlib.MAX_WBITS | 16  # https://docs.python.org/3/library/zlib.html#zlib.decompress
LARGEST_PART = 4_000_000  # bytes for which memory is taken at once


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
    fetched = _ahead(FETCHED_AHEAD, lambda part: exchange.read(part.key), manifest.parts)
    for (part, _), unpacked in _ahead(UNPACKED_AHEAD, _unpack, fetched):
        content = unpacked
        if encoding not in TAKES_ALL:
            content, beyond = _within(encoding, unpacked, part)
            skipped += beyond
        lines = _load_part(target, content, part)
        if lines != part.lines:
            raise _unusable(part, f"it has {lines} lines where the manifest says {part.lines}")
    if not skipped:
        return manifest
    return replace(manifest, warnings=(*manifest.warnings, _skipped(skipped, encoding)))


def _ahead[T, R](many: int, work: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
    """Yield items in order, each with what comes of it; work on so many next ones meanwhile."""
    begun: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(many) as threads:
        for item in items:
            begun.append((item, threads.submit(work, item)))
            if len(begun) > many:
                yield _done(*begun.popleft())
        while begun:
            yield _done(*begun.popleft())


def _done[T, R](item: T, result: Future[R]) -> tuple[T, R]:
    return item, result.result()


def _unpack(fetched: tuple[Part, bytes]) -> bytes:
    part, compressed = fetched
    size = int.from_bytes(compressed[-4:], "little")  # RFC 1952; a damaged file has any number
    try:
        return zlib.decompress(compressed, GZIP, min(size, LARGEST_PART))
    except zlib.error:
        raise _unusable(part, "it cannot be unpacked") from None


def _within(encoding: str, content: bytes, part: Part) -> tuple[bytes, int]:
    """Return a part that an encoding can represent, and how many users it cannot represent.

    Such a user gets no email, so that an incomplete one matches nobody, and escapes for the
    characters that the encoding lacks.
    """
    codec = extensions.encodings.get(encoding, "ascii")
    try:
        header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    except (ValueError, csv.Error) as error:
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
    return out.getvalue().encode(), skipped


def _skipped(users: int, encoding: str) -> str:
    return (
        f"{users} users of the pool were skipped: the database's encoding, {encoding}, lacks a"
        " character of their attributes, so that no row can be theirs. The listing in the bucket"
        " names them."
    )


def _load_part(target: Session, content: bytes, part: Part) -> int:
    try:
        return target.copy_in(COPY_PART, io.BytesIO(content))
    except SchemaMismatch as error:  # the temporary table takes every line of a listing
        raise _unusable(part, "its lines are not those of a listing") from error


def _unusable(part: Part, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The part {part.key} of the Cognito users' listing cannot be used: {why}. Start a new"
        " execution, which lists the pool again. Nothing was written."
    )
