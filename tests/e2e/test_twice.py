"""Two runs in a row while people keep logging in: nobody who could log in is locked out."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg2 import extensions

from common.postgres.target import LOCK_KEY
from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents
from sandbox.bookshop.databases import BOOKSHOP
from sandbox.bookshop.logins import Found, Login, log_in, log_in_everybody
from sandbox.bookshop.people import PEOPLE, Person
from statemachine.execution import Execution, run, start, state_events, wait
from tests.e2e.tools import LINKED, RELINK, everything, wait_during
from tests.support.waiting import wait_until

# Changes also rows of people who log in; some get another sub in production, with all they have.
CHANGES = """
UPDATE users SET name = name || ' the Second' WHERE id % 5 = 0 OR email ILIKE '%@bookshop.example%';
SET LOCAL session_replication_role = replica;
UPDATE users SET cognito_sub = md5(cognito_sub)
 WHERE id % 2 = 0 AND email ILIKE '%@bookshop.example%';
UPDATE cards SET holder_sub = cognito_sub FROM users WHERE cognito_sub = md5(holder_sub);
UPDATE wishlists SET owner_sub = cognito_sub FROM users WHERE cognito_sub = md5(owner_sub);
SET LOCAL session_replication_role = origin;
INSERT INTO users (email, name, cognito_sub)
SELECT 'later' || i || '@mail.example', 'Later ' || i, gen_random_uuid()
  FROM generate_series(1, 10) AS i;
INSERT INTO orders (user_id, status, placed_at, touched_at)
SELECT id, 'paid', now(), now() FROM users WHERE email LIKE 'later%';
UPDATE books SET price = price + 1 WHERE id % 70 = 0;
DELETE FROM reviews WHERE id % 100 = 0;
INSERT INTO page_views VALUES (2, '2025-03-02')
"""
LEAVING = "customer7@mail.example"
# They have an account in staging's pool, and no row in production.
NEWCOMERS = [person for person in PEOPLE if person.name in {"Robot", "Tara"}]
ARRIVAL = """
INSERT INTO users (email, name, cognito_sub)
VALUES ('robot@bookshop.example', 'Robot', gen_random_uuid()),
       ('tara@bookshop.example', 'Tara', gen_random_uuid())
"""

# Somebody writes to staging: a sync that has compared waits until that has ended, and then writes.
WRITING = "LOCK TABLE users IN ROW EXCLUSIVE MODE"
# A migration of a table that no login reads: even a sync that will write nothing waits to read it.
MIGRATING = "LOCK TABLE page_views IN ACCESS EXCLUSIVE MODE"
SYNC_WAITS = """
SELECT FROM pg_stat_activity
WHERE application_name LIKE 'staging-sync%' AND wait_event_type = 'Lock'
"""
# A sequence that CHANGES advances is in use: the sync waits for it after it has written the rows.
TAKEN_NUMBER = "SELECT nextval('users_id_seq')"
SYNC_WAITS_FOR_SEQUENCE = """
SELECT FROM pg_locks WHERE relation = 'users_id_seq'::regclass AND NOT granted
"""
# The sync holds this lock until it commits, then the remap does; who waits for it is in between.
RUNS_LOCK = f"SELECT pg_advisory_xact_lock({LOCK_KEY})"
RUNS_LOCK_AWAITED = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@dataclass(frozen=True, slots=True)
class Poll:
    """A login, and when it was tried."""

    login: Login
    began: datetime
    ended: datetime


class Polls:
    """The logins of some people, one after the other, until they are stopped."""

    def __init__(self, account: StagingAccount, people: list[Person]) -> None:
        self.made: list[Poll] = []
        self._account = account
        self._people = people
        self._stopped = threading.Event()

    def go_on(self) -> None:
        for person in itertools.cycle(self._people):
            if self._stopped.is_set():
                return
            began = datetime.now(UTC)
            login = log_in(self._account, person)
            self.made.append(Poll(login, began, datetime.now(UTC)))

    def stop(self) -> None:
        self._stopped.set()

    def wait_for_everybody(self) -> None:
        """Wait until each of them has logged in once more."""
        now = datetime.now(UTC)
        wait_until(
            lambda: (
                len({poll.login.person.name for poll in self.made if poll.began > now})
                == len(self._people)
            ),
            "everybody tries to log in",
        )

    def within(self, account: StagingAccount, execution: Execution, state: str) -> set[str]:
        """Return who logged in while an execution was in a state."""
        entered, left = (
            event.at for event in state_events(account, execution.arn) if event.state == state
        )
        return {
            poll.login.person.name
            for poll in self.made
            if entered < poll.began and poll.ended < left
        }

    def locked_out(self, people: list[Person], *, since: datetime | None = None) -> set[str]:
        """Return which of these people ever failed to find their own row, or did since then."""
        return {
            poll.login.person.name
            for poll in self.made
            if poll.login.person in people
            and poll.login.found is not Found.OWN_ROW
            and (since is None or poll.began > since)
        }


@contextlib.contextmanager
def polled(account: StagingAccount, people: list[Person]) -> Iterator[Polls]:
    """Log people in, one after the other, for the length of a with statement."""
    polls = Polls(account, people)
    with ThreadPoolExecutor(1) as thread:
        polling = thread.submit(polls.go_on)
        try:
            yield polls
        finally:
            polls.stop()
            polling.result()


def run_held(account: StagingAccount, polls: Polls, *, writes: bool) -> Execution:
    """Run an execution in which everybody logs in during the sync and again before the remap.

    During the sync: before it writes and, if it `writes`, again before it commits.
    """

    def wait_for(query: str, what: str) -> None:
        wait_during(account, arn, lambda: account.staging.rows(query), what)

    with (
        contextlib.closing(account.staging.connect()) as follower,
        ThreadPoolExecutor(1) as thread,
    ):
        with holding(account, TAKEN_NUMBER) if writes else contextlib.nullcontext():
            with holding(account, WRITING if writes else MIGRATING):
                arn = start(account, RELINK)
                wait_for(SYNC_WAITS, "the sync waits")
                following = thread.submit(execute, follower, RUNS_LOCK)
                wait_for(RUNS_LOCK_AWAITED, "we wait for the sync")
                polls.wait_for_everybody()
            if writes:
                wait_for(SYNC_WAITS_FOR_SEQUENCE, "the sync has written")
                polls.wait_for_everybody()
        following.result()  # the sync has committed
        wait_during(account, arn, lambda: reaches_remap(account, arn), "the remap begins")
        polls.wait_for_everybody()
    return wait(account, arn)


@contextlib.contextmanager
def holding(account: StagingAccount, statement: str) -> Iterator[None]:
    """Hold a statement's locks for the length of a with statement."""
    with contextlib.closing(account.staging.connect()) as connection:
        execute(connection, statement)
        yield


def execute(connection: extensions.connection, statement: str) -> None:
    """Execute a statement and leave its transaction open."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def reaches_remap(account: StagingAccount, arn: str) -> bool:
    """Return whether an execution has entered its remap."""
    return any(event.state == "UpdateDatabase" for event in state_events(account, arn))


def who_can_log_in(account: StagingAccount) -> list[Person]:
    """Return the people who find their own row."""
    return [login.person for login in log_in_everybody(account) if login.found is Found.OWN_ROW]


def test_two_runs_in_a_row_lock_nobody_out_and_the_second_changes_nothing(
    account: StagingAccount,
) -> None:
    run(account, RELINK)
    people = who_can_log_in(account)
    account.production.change((BOOKSHOP / "forget_user.sql").read_text(), {"email": LEAVING})
    account.production.change(CHANGES)

    with polled(account, people) as polls:
        first = run_held(account, polls, writes=True)
        after_first = everything(account)
        second = run_held(account, polls, writes=False)

    assert (first.cause, second.cause) == ("", "")
    assert polls.locked_out(people) == set()
    assert first.output["db_sync"]["status"] == "synced"
    assert second.output["db_sync"]["status"] == "unchanged"
    assert second.output["cognito_mapping"]["updated"] == 0
    assert everything(account) == after_first
    assert contents(account.staging) == contents(account.production)
    names = {person.name for person in people}
    assert names == LINKED
    for execution in (first, second):
        assert polls.within(account, execution, "SyncDatabase") == names
        assert polls.within(account, execution, "UpdateDatabase") == names


def test_people_who_are_new_in_production_can_log_in_after_the_first_run_and_during_the_second(
    account: StagingAccount,
) -> None:
    run(account, RELINK)
    people = who_can_log_in(account)
    account.production.change(CHANGES)
    account.production.change(ARRIVAL)

    with polled(account, people + NEWCOMERS) as polls:
        first = run_held(account, polls, writes=True)
        relinked = datetime.now(UTC)
        second = run_held(account, polls, writes=False)

    assert (first.cause, second.cause) == ("", "")
    assert polls.locked_out(people) == set()
    assert polls.locked_out(NEWCOMERS, since=relinked) == set()
    assert Found.ANOTHERS_ROW not in {poll.login.found for poll in polls.made}
    assert first.output["cognito_mapping"]["updated"] == len(NEWCOMERS)
    assert second.output["db_sync"]["status"] == "unchanged"
    assert second.output["cognito_mapping"]["updated"] == 0
