"""UpdateDb: neither the listing nor the report is ever held in memory."""

import gzip
import hashlib
import io
import json
import tracemalloc
from types import SimpleNamespace
from typing import IO, Any

from common.aws.exchange import Exchange
from common.manifest import Manifest, Part
from tests.integration.update_db.remapping import USERS, PoolUser, part_of
from tests.support.databases import Databases
from update_db.mapping import load_mapping
from update_db.remap import RemapOptions, remap_users
from update_db.users_table import UsersTable

PARTS, USERS_PER_PART = 20, 1_000
MEBIBYTE = 2**20
ROWS = f"""
INSERT INTO users
SELECT i, repeat(md5(i::text), 10) || '@example.com', 'p-' || i
FROM generate_series(0, {PARTS * USERS_PER_PART - 1}) i
"""


def email(number: int) -> str:
    digest = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    return f"{digest * 10}@example.com"


def a_large_listing() -> Exchange:
    """Return a folder with a listing of some 8 MB, unpacked."""
    files: dict[str, bytes] = {}
    for part in range(PARTS):
        numbers = range(part * USERS_PER_PART, (part + 1) * USERS_PER_PART)
        files[f"part-{part}"] = part_of(
            [PoolUser(email(number), f"s-{number}") for number in numbers]
        )
    parts = tuple(Part(key, USERS_PER_PART) for key in files)
    manifest = Manifest(parts, PARTS * USERS_PER_PART, pages=1)
    files["manifest"] = json.dumps(manifest.to_json()).encode()
    client: Any = SimpleNamespace(
        get_object=lambda *, Bucket, Key: {"Body": io.BytesIO(files[Key])}  # noqa: ARG005, N803  # boto3's names
    )
    return Exchange(client, "exchange", "test")


def test_memory_does_not_grow_with_the_pool(databases: Databases) -> None:
    database = databases.make(USERS, ROWS)
    database.mark()
    exchange = a_large_listing()
    sizes: list[int] = []

    def save(report: IO[bytes]) -> str:
        report.seek(0)
        with gzip.open(report) as content:
            sizes.extend(map(len, content))
        return "report"

    tracemalloc.start()
    try:
        result = remap_users(
            database.address,
            RemapOptions("test", UsersTable.of("public.users", "email", "cognito_sub")),
            lambda target: load_mapping(target, exchange, "manifest"),
            save,
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert result.counts.updated == PARTS * USERS_PER_PART
    assert sum(sizes) > 6 * MEBIBYTE, "what was reported"
    assert peak < 3 * MEBIBYTE
