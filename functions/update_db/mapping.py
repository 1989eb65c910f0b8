"""The listing of the user pool, read from the bucket into a temporary table."""

import gzip
import zlib
from typing import IO

from botocore.exceptions import BotoCoreError
from psycopg2 import sql

from common.database import Session
from common.errors import ConfigurationError, SchemaMismatch, StagingSyncError
from common.exchange import Exchange
from common.manifest import Manifest, Part
from common.queries import load_query

COPY_PART = sql.SQL("COPY pg_temp.staging_sync_pool FROM STDIN (FORMAT csv, HEADER)")
BROKEN = (BotoCoreError, OSError, EOFError, zlib.error)


def load_mapping(target: Session, exchange: Exchange, manifest_key: str) -> int:
    """Copy exactly the parts that the manifest lists into the pool's temporary table.

    Returns:
        How many users the pool has.

    Raises:
        ConfigurationError: the manifest or a part is missing, broken, or does not have the
            lines that the manifest says.
    """
    with exchange.open(manifest_key) as body:
        manifest = Manifest.parse(body.read())
    target.execute(load_query("update_db", "create_pool"))
    for part in manifest.parts:
        with exchange.open(part.key) as body:
            lines = _load_part(target, body, part)
        if lines != part.lines:
            raise _unusable(part, f"it has {lines} lines where the manifest says {part.lines}")
    return manifest.users


def _load_part(target: Session, body: IO[bytes], part: Part) -> int:
    content = _Unzipped(body)
    try:
        return target.copy_in(COPY_PART, content)
    except StagingSyncError as error:
        if content.error:
            raise _unusable(part, f"{type(content.error).__name__} while reading it") from error
        if isinstance(error, SchemaMismatch):  # the temporary table is ours: its rows must fit
            raise _unusable(part, "its lines are not those of a listing") from error
        raise


class _Unzipped:
    """A gzipped stream's content; remembers why reading failed.

    The driver turns an exception of `read` into one of the server's, so that the cause would
    be lost.
    """

    def __init__(self, body: IO[bytes]) -> None:
        self._content = gzip.GzipFile(fileobj=body)
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
