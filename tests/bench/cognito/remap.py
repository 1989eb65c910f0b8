"""Remapping a row for each user of a pool, compared with an UPDATE and a commit for each user."""

import contextlib
import io
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from common.manifest import MANIFEST_NAME, Manifest, Part
from list_cognito_users.parts import PartWriter
from list_cognito_users.pool import USERS_PER_PAGE
from list_cognito_users.tuning import TUNING
from sandbox.database import Database
from tests.bench.cognito.lambdas import Account, Invocation
from tests.support.cognito_users import GeneratedUsers
from tests.support.masked_emails import masked

TABLE = """
DROP TABLE IF EXISTS users;
CREATE TABLE users (
    id bigint PRIMARY KEY, email text NOT NULL, cognito_sub text UNIQUE, name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), profile jsonb NOT NULL DEFAULT '{"plan": 1}'
);
"""
INDEX = "CREATE INDEX ON users (lower(email))"
PRODUCTION = GeneratedUsers(0, seed=1)  # for the subs of the rows that must change
OTHER = GeneratedUsers(0, seed=2)  # for subs that no row has
MODIFIED = datetime(2026, 3, 1, 10, 0, 0, 123_000, UTC)
ROWS_AT_ONCE = 10_000
SAMPLE = 2_000  # users that are updated one by one


@dataclass(frozen=True, slots=True)
class RemapOutcome:
    """The seconds of remapping `users` rows, and of updating them one by one.

    `dry_seconds` are those of a dry run, `second_seconds` those of a run that changes nothing,
    `masked_seconds` those of a remap of rows whose emails are masked.
    """

    users: int
    seconds: float
    dry_seconds: float
    second_seconds: float
    masked_seconds: float
    peak_memory: int
    one_by_one_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as fast as updating one by one."""
        return self.one_by_one_seconds / self.seconds


def measure_remap(account: Account, database: Database, users: int) -> RemapOutcome:
    """Remap a table of so many users, one in ten of whom has another sub.

    Raises:
        RuntimeError: the counts are not those of the data.
    """
    pool = GeneratedUsers(users)
    execution = f"remap-{users}"
    listing = _write_listing(account, pool, execution)
    runs = {}
    for run in ("masked", "dry", "first", "second"):
        if run in {"masked", "dry"}:
            _fill_table(database, pool, is_masked=run == "masked")
        event = {
            "execution": execution,
            "input": {"cognito_only": True, "dry_run": run == "dry"},
            "cognito_users": listing,
        }
        masks = {"EMAIL_MASK": '"email"'} if run == "masked" else {}
        runs[run] = account.invoke("update_db", event, environment=masks)
        _check(runs[run], users, changed=0 if run == "second" else users // 10)
    return RemapOutcome(
        users=users,
        seconds=runs["first"].seconds,
        dry_seconds=runs["dry"].seconds,
        second_seconds=runs["second"].seconds,
        masked_seconds=runs["masked"].seconds,
        peak_memory=max(run.peak_memory for run in runs.values()),
        one_by_one_seconds=_update_one_by_one(database, pool) * users,
    )


def _check(run: Invocation, users: int, changed: int) -> None:
    # Of every 100 users one has no email, and one has another's (see GeneratedUsers). The row of
    # the latter has a mismatched sub, until the first remap removes it.
    mismatched = users // 100 if changed else 0
    expected = {
        "updated": changed,
        "unchanged": users * 98 // 100 - changed,
        "skipped_no_cognito_user": users * 2 // 100 - mismatched,
        "skipped_no_db_user": users // 100,
        "skipped_ambiguous": 0,
        "unlinked": 0,
        "mismatched": mismatched,
    }
    if not expected.items() <= run.output.items():
        raise RuntimeError(f"The remap must return {expected}, but returned {run.output}")


def _fill_table(database: Database, pool: GeneratedUsers, *, is_masked: bool) -> None:
    """Give every user of the pool a row, nine in ten of them with the right sub."""
    with (
        contextlib.closing(database.connect()) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(TABLE)
        for rows in _rows(pool, is_masked=is_masked):
            cursor.copy_expert("COPY users (id, email, cognito_sub, name) FROM STDIN", rows)
        cursor.execute(INDEX)
    database.execute("VACUUM ANALYZE users", "CHECKPOINT")


def _rows(pool: GeneratedUsers, *, is_masked: bool) -> Iterator[io.StringIO]:
    for first in range(0, len(pool), ROWS_AT_ONCE):
        rows = io.StringIO()
        for number in range(first, min(first + ROWS_AT_ONCE, len(pool))):
            email = f"user{number}@example.com"
            if number % 50 == 7:
                email = f"User{number}@Example.com "
            if is_masked:
                email = masked(email)
            sub = (PRODUCTION if number % 10 == 3 else pool).sub(number)
            rows.write(f"{number}\t{email}\t{sub}\tName {number}\n")
        rows.seek(0)
        yield rows


def _write_listing(account: Account, pool: GeneratedUsers, execution: str) -> dict[str, object]:
    """Write a listing with the code of ListCognitoUsers; return what the Lambda would."""
    exchange = account.exchange(execution)
    writer = PartWriter(exchange, "all", TUNING.users_per_part)
    parts: list[Part] = []
    users = (user | {"UserLastModifiedDate": MODIFIED} for _, user in pool.from_number(0, ""))
    for page in itertools.batched(users, USERS_PER_PAGE):
        parts += writer.write(list(page))  # type: ignore[arg-type]  # a user as Cognito sends it
    parts += writer.close()
    manifest = Manifest(tuple(parts), len(pool), pages=-(-len(pool) // USERS_PER_PAGE))
    exchange.write_json(MANIFEST_NAME, manifest.to_json())
    return {
        "bucket": exchange.bucket,
        "manifest": exchange.key(MANIFEST_NAME),
        "users": manifest.users,
        "pages": manifest.pages,
        "done": True,
    }


def _update_one_by_one(database: Database, pool: GeneratedUsers) -> float:
    """Return the seconds of an UPDATE and a commit for one user, measured on a sample.

    The remap has written to the same pages before, so that this does not include their full-page
    images in the WAL.
    """
    updates = []
    for index in range(SAMPLE):
        number = index * (len(pool) // SAMPLE) // 10 * 10
        if index % 10:
            updates.append((pool.sub(number), number))
        else:  # one in ten gets another sub here too
            updates.append((OTHER.sub(number + 3), number + 3))
    with (
        contextlib.closing(database.connect()) as connection,
        connection.cursor() as cursor,
    ):
        touched = 0
        started = time.monotonic()
        for sub, number in updates:
            cursor.execute(
                "UPDATE users SET cognito_sub = %s WHERE lower(email) = %s",
                (sub, f"user{number}@example.com"),
            )
            touched += cursor.rowcount
            connection.commit()
        seconds = time.monotonic() - started
    if touched != SAMPLE:
        raise RuntimeError(f"One by one, {touched} of {SAMPLE} rows were updated")
    return seconds / SAMPLE
