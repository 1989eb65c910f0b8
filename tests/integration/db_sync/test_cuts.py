"""After a connection is cut, on either side and at any moment, the target is as it was."""

import threading
from dataclasses import dataclass

import pytest

from common.errors import DatabaseUnavailable
from common.postgres.connection.address import DatabaseAddress
from common.postgres.connection.login import CONNECTION_PARAMETERS
from db_sync.run import Progress, SyncOptions, no_progress
from db_sync.sync import sync_database
from tests.integration.db_sync.faults import (
    different_pair,
    either_role,
    either_side,
    is_in_transaction,
    put_back,
    state,
    target_as,
    wait_for_no_backend,
)
from tests.integration.db_sync.proxy import Proxy, Watch
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

CUTS = 6  # of a run's statements, spread evenly
MANY_ROWS = 20_000
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Case:
    """A pair, and the side that is reached through a proxy."""

    pair: Pair
    target: DatabaseAddress
    side: str
    before: str

    @classmethod
    def of(cls, pair: Pair, side: str, role: str) -> "Case":
        return cls(pair, target_as(pair, role), side, state(pair.target))

    def proxy(self, watch: Watch = lambda _from_client, _data: False) -> Proxy:
        return Proxy(self.pair.source if self.side == "source" else self.pair.target, watch)

    def sync(
        self, proxy: Proxy, progress: Progress = no_progress, *, dry_run: bool = False
    ) -> None:
        source, target = self.pair.source.address, self.target
        if self.side == "source":
            source = proxy.before(source)
        else:
            target = proxy.before(target)
        sync_database(source, target, SyncOptions("test", dry_run=dry_run, progress=progress))

    def assert_lost(
        self, proxy: Proxy, progress: Progress = no_progress, *, dry_run: bool = False
    ) -> None:
        """Sync, and check the error of a lost connection, and that the target is as before."""
        with pytest.raises(DatabaseUnavailable, match=f"the {self.side} database 127.0.0.1:"):
            self.sync(proxy, progress, dry_run=dry_run)
        assert state(self.pair.target) == self.before
        assert "copy-out" not in {thread.name for thread in threading.enumerate()}
        wait_for_no_backend(self.pair)

    def assert_next_succeeds(self) -> None:
        sync(self.pair, target=self.target)
        assert_same(self.pair)


@dataclass(frozen=True, slots=True)
class Moment:
    """A phase, how many of its tables are done, and whether the side is still needed."""

    phase: str
    done: int
    is_needed: bool
    is_dry_run: bool

    def cuts(self, proxy: Proxy) -> Progress:
        def cut(phase: str, done: int, _total: int) -> None:
            if (phase, done) == (self.phase, self.done):
                proxy.cut()

        return cut


@either_role
@either_side
def test_a_connection_cut_in_any_phase_leaves_the_target_as_it_was(
    databases: Databases, side: str, role: str, subtests: pytest.Subtests
) -> None:
    case = Case.of(different_pair(databases), side, role)
    for moment in moments(case):
        with subtests.test(str(moment)), case.proxy() as proxy:
            if moment.is_needed:
                case.assert_lost(proxy, moment.cuts(proxy), dry_run=moment.is_dry_run)
            else:
                case.sync(proxy, moment.cuts(proxy))
                assert_same(case.pair)
                put_back(case.pair)
    case.assert_next_succeeds()


def moments(case: Case) -> list[Moment]:
    """Return a moment in the middle of each phase that a sync shows, and the end of the last."""
    shown: dict[tuple[str, int], Moment] = {}
    totals: dict[str, int] = {}
    with case.proxy() as proxy:
        for dry_run in (True, False):

            def note(phase: str, done: int, total: int, dry_run: bool = dry_run) -> None:
                # The source's transaction ends as soon as its last row is read.
                needed = case.side == "target" or is_in_transaction(case.pair.source)
                shown[phase, done] = Moment(phase, done, needed, dry_run)
                totals[phase] = total

            case.sync(proxy, note, dry_run=dry_run)
    put_back(case.pair)
    return [shown[phase, n // 2] for phase, n in totals.items()] + list(shown.values())[-1:]


@either_role
@either_side
def test_a_connection_cut_at_any_statement_leaves_the_target_as_it_was(
    databases: Databases, side: str, role: str, subtests: pytest.Subtests
) -> None:
    case = Case.of(different_pair(databases), side, role)
    clean = Statements()
    with case.proxy(clean) as proxy:
        case.sync(proxy)
    put_back(case.pair)
    # Not the commit: without its answer nobody knows whether it was done (see below). Nor the last
    # one, which ends the transaction of the session that holds the target's lock.
    last = clean.count - 2
    for number in sorted({1 + (last - 1) * cut // (CUTS - 1) for cut in range(CUTS)}):
        with subtests.test(statement=number), case.proxy(Statements(number)) as proxy:
            case.assert_lost(proxy)
    case.assert_next_succeeds()


class Statements:
    """Counts the statements that pass, and cuts before the answer to one of them passes."""

    def __init__(self, cut_at: int | None = None) -> None:
        self.count = 0
        self._cut_at = cut_at

    def __call__(self, from_client: bool, data: bytes) -> bool:
        if from_client:
            self.count += data.startswith(b"Q")  # PostgreSQL's message "Query"
        return not from_client and self.count == self._cut_at


@either_role
@either_side
def test_a_connection_cut_in_the_middle_of_a_copy_leaves_the_target_as_it_was(
    databases: Databases, side: str, role: str
) -> None:
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)")
    pair.source.execute(
        f"INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, {MANY_ROWS}) i"
    )
    case = Case.of(pair, side, role)

    with case.proxy(after_rows(MEBIBYTE, from_client=side == "target")) as proxy:
        case.assert_lost(proxy)

    case.assert_next_succeeds()


def after_rows(limit: int, *, from_client: bool) -> Watch:
    """Cut when more than `limit` bytes have passed in one direction."""
    passed = 0

    def watch(by_client: bool, data: bytes) -> bool:
        nonlocal passed
        passed += len(data) if by_client == from_client else 0
        return passed > limit

    return watch


@either_role
def test_a_commit_that_does_not_arrive_leaves_the_target_as_it_was(
    databases: Databases, role: str
) -> None:
    case = Case.of(different_pair(databases), "target", role)

    with case.proxy(lambda from_client, data: from_client and b"COMMIT" in data) as proxy:
        case.assert_lost(proxy)

    case.assert_next_succeeds()


@either_role
def test_a_commit_whose_answer_is_lost_is_an_error_although_it_was_done(
    databases: Databases, role: str
) -> None:
    case = Case.of(different_pair(databases), "target", role)

    with (
        case.proxy(lambda from_client, data: not from_client and b"COMMIT" in data) as proxy,
        pytest.raises(DatabaseUnavailable, match="the target database 127"),
    ):
        case.sync(proxy)

    assert_same(case.pair)
    assert sync(case.pair, target=case.target).status == "unchanged"


def test_the_sync_gives_up_on_a_target_that_stops_answering_during_a_copy(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While sent data is not acknowledged there are no keepalives, so they do not detect this.
    assert 0 < int(CONNECTION_PARAMETERS["tcp_user_timeout"]) <= 300_000
    monkeypatch.setitem(CONNECTION_PARAMETERS, "tcp_user_timeout", "1000")
    pair = databases.pair("CREATE TABLE t (id int PRIMARY KEY, v text)")
    # More than the proxy and the kernel can buffer.
    pair.source.execute(
        "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i"
    )
    heard = threading.Event()
    passed = 0

    def fall_silent(from_client: bool, data: bytes) -> bool:
        nonlocal passed
        passed += len(data) if from_client else 0
        return passed > 100_000 and heard.wait()

    with Proxy(pair.target, fall_silent) as proxy:
        try:
            with pytest.raises(DatabaseUnavailable, match="the target database"):
                sync_database(
                    pair.source.address, proxy.before(pair.target.address), SyncOptions("test")
                )
        finally:
            heard.set()

    assert pair.target.rows("TABLE t") == []
