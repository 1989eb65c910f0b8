"""A Lambda that is killed in the middle of a sync leaves staging exactly as it was."""

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents
from statemachine.execution import run, start, wait
from tests.e2e.tools import everything, kill_lambdas, wait_during

# Each row that is loaded into page_views, which comes after orders and their items, takes 5 ms; the
# rows that exist already were indexed faster.
SLOW = """
CREATE FUNCTION takes_its_time(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN true; END';
CREATE INDEX slow ON page_views (public.takes_its_time(book_id));
CREATE OR REPLACE FUNCTION takes_its_time(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM pg_catalog.pg_sleep(0.005); RETURN true; END';
"""
# It has no key, so it is truncated, and all rows are copied into it.
LOADING = """
SELECT 1 FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid)
WHERE relid = 'page_views'::regclass AND command = 'COPY FROM' AND backend_xid IS NOT NULL
"""


def kill_in_the_middle(account: StagingAccount) -> str:
    """Start an execution, kill its Lambda after it has written much, and return its ARN."""
    arn = start(account, {})
    wait_during(account, arn, lambda: account.staging.rows(LOADING), "rows enter page_views")
    assert kill_lambdas(account, account.function_name("db_sync")) > 0
    return arn


def test_what_a_killed_lambda_had_written_is_gone(account: StagingAccount) -> None:
    account.staging.change(SLOW)
    before = everything(account)

    killed = wait(account, kill_in_the_middle(account))

    assert killed.status == "FAILED"
    assert "Worker process died" in killed.cause
    assert everything(account) == before


def test_an_execution_started_right_after_a_killed_one_succeeds(account: StagingAccount) -> None:
    account.staging.change(SLOW)
    killed = kill_in_the_middle(account)

    following = run(account, {})

    assert wait(account, killed).status == "FAILED"
    assert (following.status, following.cause) == ("SUCCEEDED", "")
    assert following.output["db_sync"]["status"] == "synced"
    assert contents(account.staging) == contents(account.production)
