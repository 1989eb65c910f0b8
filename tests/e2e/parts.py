"""Syncs in parts in the sandbox: at rates so low that the bookshop takes hours."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from psycopg2 import sql

from db_sync.parts.board import KEEPERS
from db_sync.parts.first_load import FILE, FOLDER
from db_sync.parts.part import Division, Part
from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import Contents, contents
from sandbox.bookshop.databases import ROLE
from sandbox.bookshop.followers import FOLLOWERS
from sandbox.database import Database
from tests.e2e.tools import SAVED, function_changed, wait_during

TUNING = {
    # So low that one Lambda has no time to write the bookshop's two megabytes.
    "rates": {"write": 200},
    "part_seconds": 450,
    "whole_seconds": 600,
    "longest_part": 100_000,
    "keeper_turn": 2,
    "keeper_poll": 0.2,
}
GRANT = f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}"
REVOKE = f"REVOKE SET ON PARAMETER session_replication_role FROM {ROLE}"
UNFINISHED = f"executions/{FOLDER}/{FILE}"
EMPTY = "TRUNCATE users, authors, books, orders, order_items, reviews, page_views, wishlists, cards"
SUBS = ["cognito_sub", *(column for _, column in FOLLOWERS)]
CHANGES = """
UPDATE orders SET status = 'returned' WHERE id % 50 = {number} % 50;
DELETE FROM order_items WHERE order_id % 500 = {number} % 500;
UPDATE books SET price = price + 1 WHERE id % 20 = {number} % 20;
INSERT INTO users (email, name) VALUES ('meanwhile{number}@mail.example', 'Meanwhile');
INSERT INTO page_views VALUES (1 + {number} % 800, '2025-05-05');
"""


@contextlib.contextmanager
def in_parts(account: StagingAccount) -> Iterator[None]:
    """Let DbSync divide each sync that it may divide, for the length of a with statement.

    Its setting is the default: it may divide the first load of a staging that is empty.
    """
    name = account.function_name("db_sync")
    found = account.clients.functions.get_function_configuration(FunctionName=name)
    variables = found["Environment"]["Variables"] | {
        "TUNING": json.dumps(TUNING),
        "PARTS_CONCURRENCY": "2",
    }
    account.staging.server.execute("postgres", GRANT)
    try:
        with function_changed(account, name, Environment={"Variables": variables}):
            yield
    finally:
        account.staging.server.execute("postgres", REVOKE)
        _forget_first_load(account)


def empty(account: StagingAccount) -> None:
    """Empty staging, as it is before its first load."""
    account.staging.execute(EMPTY)
    _forget_first_load(account)


def _forget_first_load(account: StagingAccount) -> None:
    account.clients.s3.delete_object(Bucket=account.bucket, Key=UNFINISHED)


def saved(database: Database) -> Database:
    """Return the copy of one of the account's databases, as it was before the test."""
    return Database(database.server, SAVED)


def name_of(arn: str) -> str:
    """Return an execution's name."""
    return arn.rsplit(":", 1)[1]


def part_file(account: StagingAccount, arn: str, name: str) -> Any:
    """Return a file of an execution's parts; None if it is not there yet."""
    key = f"executions/{name_of(arn)}/parts/{name}"
    try:
        body = account.clients.s3.get_object(Bucket=account.bucket, Key=key)["Body"].read()
    except ClientError:
        return None
    return json.loads(body)


def division(account: StagingAccount, arn: str) -> Division:
    """Return what an execution's sync is divided into."""
    return Division.parse(json.dumps(part_file(account, arn, "parts.json")).encode())


def results(account: StagingAccount, arn: str) -> list[str]:
    """Return the names of the files that parts have written so far."""
    prefix = f"executions/{name_of(arn)}/parts/done-"
    found = account.clients.s3.list_objects_v2(Bucket=account.bucket, Prefix=prefix)
    return [entry["Key"].rpartition("/")[2] for entry in found.get("Contents", [])]


def wait_for_snapshot(account: StagingAccount, arn: str) -> None:
    """Wait until a keeper holds production's snapshot."""

    def is_held() -> bool:
        return any(part_file(account, arn, f"keeper-{keeper}.json") for keeper in KEEPERS)

    wait_during(account, arn, is_held, "a keeper holds the snapshot")


def wait_for_parts(account: StagingAccount, arn: str, number: int) -> None:
    """Wait until so many parts are done."""
    wait_during(
        account, arn, lambda: len(results(account, arn)) >= number, f"{number} parts are done"
    )


@dataclass(slots=True)
class Production:
    """Production's database, which changes all the while, and all that it has held by now."""

    database: Any
    moments: list[Contents] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def _change(self) -> None:
        number = 0
        while not self.stopped.wait(0.1):
            number += 1
            self.database.change(CHANGES.format(number=number))
            self.moments.append(contents(self.database))

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Change it all the while, for the length of a with statement."""
        self.moments.append(contents(self.database))
        thread = threading.Thread(target=self._change)
        thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            thread.join()


def parts_done(account: StagingAccount, arn: str, *moments: Database) -> int:
    """Check that each part of an emptied staging has all of production's rows or none.

    Args:
        account: the staging account.
        arn: the execution.
        moments: production, and copies of what it was.

    Returns:
        How many have them.
    """
    number = 0
    for part in division(account, arn).parts:
        found = rows_of(account.staging, part)
        if any(found):
            right = [rows_of(moment, part) for moment in moments]
            assert found in right, f"part {part.number} of {part.tables} is in between"
            number += 1
    return number


def rows_of(database: Database, part: Part) -> list[list[str]]:
    """Return a part's rows as text, of one moment; without the subs, which are staging's own."""
    condition = part.bounds.condition if part.bounds else sql.SQL("true")
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        connection.set_session("REPEATABLE READ", readonly=True)
        found = []
        for table in part.tables:
            query = sql.SQL("SELECT (to_jsonb(t) - {}::text[])::text FROM {} t WHERE {} ORDER BY 1")
            cursor.execute(query.format(sql.Literal(SUBS), table.identifier, condition))
            found.append([line for (line,) in cursor.fetchall()])
        connection.rollback()
        return found
