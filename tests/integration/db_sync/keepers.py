"""Both keepers of a pair of databases, each called again and again by a thread or a process."""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.managers import BaseManager
from multiprocessing.process import BaseProcess
from typing import Any

from common.errors import StagingSyncError
from common.postgres.connection.address import DatabaseAddress
from common.postgres.database import Session, connect
from common.postgres.deadline import Deadline
from common.postgres.names import Name
from common.postgres.waits import Retry, Waits
from db_sync.parts.board import Board, End
from db_sync.parts.keeping import keep_snapshot
from db_sync.parts.shared_snapshot import begin_kept
from db_sync.run import SyncOptions
from db_sync.tuning import Tuning
from sandbox.database import Database
from tests.support.board import MemoryBoard
from tests.support.waiting import wait_until

SCHEMA = """
CREATE TABLE changed (id int PRIMARY KEY, v text);
CREATE TABLE emptied (id int PRIMARY KEY);
CREATE TABLE rewritten (id int PRIMARY KEY, v text);
"""
ROWS = """
INSERT INTO changed SELECT i, 'first ' || i FROM generate_series(1, 100) i;
INSERT INTO emptied SELECT i FROM generate_series(1, 100) i;
INSERT INTO rewritten VALUES (1, 'first');
"""
LATER = (
    "UPDATE changed SET v = 'later' WHERE id <= 50",
    "DELETE FROM changed WHERE id > 90",
    "INSERT INTO changed VALUES (1000, 'later')",
    "DELETE FROM emptied",
    "VACUUM changed, emptied",
)
TABLES = [Name("public", name) for name in ("changed", "emptied", "rewritten")]
TURN = 1.0  # seconds
WAITS = Waits(run_lock=Retry(10.0, pause=0.05), source_locks=Retry(0.2, pause=0.05))
NO_TURNS = Tuning(keeper_turn=None, keeper_poll=0.05)
TUNING = Tuning(keeper_turn=TURN, keeper_poll=0.05)

type Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Keepers:
    """The keepers of an execution, and what they raised."""

    source: DatabaseAddress
    target: DatabaseAddress
    board: Board
    tables: list[Name]
    execution: str = "parts"
    life: float | None = None  # seconds from the beginning of a turn to its deadline
    tuning: Tuning = TUNING
    errors: list[StagingSyncError] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def turn(self, keeper: str) -> bool:
        """Take one turn."""
        deadline = Deadline(None if self.life is None else time.monotonic() + self.life)
        options = SyncOptions(self.execution, deadline=deadline, waits=WAITS, tuning=self.tuning)
        return keep_snapshot(self.source, self.target, options, keeper, self.board, self.tables)

    def branch(self, keeper: str) -> None:
        """Call a keeper until it says that all is done, and again after each error."""
        done = False
        while not done and not self.stopped.is_set():
            try:
                done = self.turn(keeper)
            except StagingSyncError as error:
                self.errors.append(error)
                time.sleep(0.1)

    @contextlib.contextmanager
    def running(self, keepers: str = "ab") -> Iterator[list[threading.Thread]]:
        """Run them for the length of a with statement, until the word that all is done."""
        threads = [threading.Thread(target=self.branch, args=(each,)) for each in keepers]
        for thread in threads:
            thread.start()
        try:
            yield threads
        finally:
            self.stopped.set()
            self.board.write_end(End(1_000, failed=False))
            for thread in threads:
                thread.join(30)
                assert not thread.is_alive()


class Boards(BaseManager):
    """A process with a board that the processes of both keepers share."""

    def shared(self) -> Board:
        """Return the board, which can be handed to another process."""
        board: Board = self.board()  # type: ignore[attr-defined]  # registered below
        return board


Boards.register("board", MemoryBoard)


@dataclass(slots=True)
class KeeperProcess:
    """A keeper in a process of its own, as in a Lambda, which can be killed."""

    keepers: Keepers
    keeper: str
    process: BaseProcess | None = None

    def start(self) -> None:
        """Start it, as the workflow does again when it was killed."""
        context = multiprocessing.get_context("spawn")
        urls = [address.parameters for address in (self.keepers.source, self.keepers.target)]
        arguments = (*urls, self.keepers.board, self.keepers.tables, self.keeper)
        self.process = context.Process(target=_keep_in_process, args=arguments)
        self.process.start()

    def kill(self) -> None:
        """Kill it without a warning."""
        assert self.process
        self.process.kill()
        self.process.join()


def _keep_in_process(
    source: dict[str, str], target: dict[str, str], board: Board, tables: list[Name], keeper: str
) -> None:
    addresses = DatabaseAddress(source), DatabaseAddress(target)
    Keepers(*addresses, board, tables).branch(keeper)


def rows_of(session: Session) -> list[Rows]:
    return [
        session.rows(f"SELECT * FROM {table.schema}.{table.name} ORDER BY 1") for table in TABLES
    ]


def rows_at_the_snapshot(keepers: Keepers) -> list[Rows]:
    """Return what a part reads of all tables."""
    with connect(keepers.source, "source", execution=keepers.execution, read_only=True) as part:
        begin_kept(part, keepers.board, TABLES, has_policies=False, wait=Retry(20, pause=0.05))
        return rows_of(part)


def rows_now(database: Database) -> list[Rows]:
    return [database.rows(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES]


def wait_for_entries(board: MemoryBoard, number: int) -> None:
    wait_until(lambda: len(board.written) >= number, f"{number} snapshots are written")
