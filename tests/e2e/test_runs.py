"""The effect of each input, from the start of an execution to the rows in staging."""

import csv
import gzip
import io
import json
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sandbox.account import StagingAccount
from sandbox.bookshop.comparison import contents, subs
from sandbox.bookshop.logins import Found, log_in_everybody
from sandbox.bookshop.people import SUB_HOLDER
from sandbox.cloud import AWS_VENV_BIN
from sandbox.pages import wait_for_page
from sandbox.processes import clean_environment
from statemachine.execution import Execution, history, run, state_events, wait
from tests.e2e.tools import LINKED, everything, files, log_text

CONSOLE_DEFAULT = {"Comment": "Insert your JSON here"}
# The counts for the sandbox's people and customers, after staging has production's rows.
COUNTS = {
    "updated": 23,
    "unchanged": 0,
    "skipped_no_cognito_user": 2063,
    "skipped_no_db_user": 3,
    "skipped_ambiguous": 3,
    "unlinked": 1,
    "mismatched": 0,
    "unverified_email": 2,
}


def tasks(account: StagingAccount, execution: Execution) -> list[str]:
    """Return the Lambdas' states that an execution entered."""
    events = state_events(account, execution.arn)
    states = ("SyncDatabase", "ListCognitoUsers", "UpdateDatabase")
    return [event.state for event in events if event.entered and event.state in states]


def counts(mapping: dict[str, object]) -> dict[str, object]:
    """Return the counts in a `cognito_mapping` object."""
    return {key: mapping[key] for key in COUNTS}


def assert_only_synced(account: StagingAccount, execution: Execution) -> None:
    """Check that staging has production's rows and that the pool was not listed."""
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert tasks(account, execution) == ["SyncDatabase"]
    assert set(execution.output) == {"db_sync"}
    assert contents(account.staging) == contents(account.production)
    assert files(account, execution) == ["db-sync.json"]


def test_an_empty_input_makes_staging_equal_to_production_and_says_what_it_did(
    account: StagingAccount,
) -> None:
    before, source = contents(account.staging), contents(account.production)
    changed = [table for table in source if source[table] != before[table]]

    execution = run(account, {})

    assert_only_synced(account, execution)
    assert contents(account.production) == source
    output = execution.output["db_sync"]
    assert (output["status"], output["verified"]) == ("synced", True)
    assert (output["tables"], output["tables_changed"]) == (len(source), len(changed))
    grown = sum(map(len, source.values())) - sum(map(len, before.values()))
    assert output["rows_inserted"] - output["rows_deleted"] == grown


def test_the_consoles_default_input_is_accepted_and_only_syncs(account: StagingAccount) -> None:
    assert_only_synced(account, run(account, CONSOLE_DEFAULT))


def test_after_a_sync_new_rows_get_new_numbers_and_triggers_fire(
    account: StagingAccount,
) -> None:
    run(account, {})

    account.staging.change(
        "INSERT INTO users (email, name) VALUES ('a@new.example', 'A');"
        "INSERT INTO orders (user_id, status, placed_at, touched_at)"
        " VALUES (1, 'placed', now(), '2000-01-01')"
    )

    ((touched,),) = account.staging.rows(
        "SELECT max(touched_at) > now() - '1 h'::interval FROM orders"
    )
    assert touched is True  # the trigger, which did not fire during the sync, fires again


def test_with_sync_cognito_the_same_people_who_were_locked_out_find_their_rows(
    account: StagingAccount,
) -> None:
    before = {login.person.name: login for login in log_in_everybody(account)}
    assert {name for name in LINKED if before[name].found is Found.OWN_ROW} == set()
    assert before["Liam"].found is Found.ANOTHERS_ROW

    execution = run(account, {"sync_cognito": True})

    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert tasks(account, execution) == ["SyncDatabase", "ListCognitoUsers", "UpdateDatabase"]
    assert set(execution.output) == {"db_sync", "cognito_mapping"}
    assert contents(account.staging) == contents(account.production)
    after = log_in_everybody(account)
    assert all(login.logged_in for login in after)
    assert {login.person.name for login in after if login.found is Found.OWN_ROW} == LINKED
    assert not [login for login in after if login.found is Found.ANOTHERS_ROW]


def test_with_sync_cognito_output_and_report_count_the_same_people(account: StagingAccount) -> None:
    execution = run(account, {"sync_cognito": True})

    mapping = execution.output["cognito_mapping"]
    assert counts(mapping) == COUNTS
    assert len(mapping["warnings"]) == 3  # ambiguous, unlinked, unverified
    assert str(subs(account.staging)[SUB_HOLDER]).startswith("unlinked:")
    key = mapping["report"].removeprefix(f"s3://{account.bucket}/")
    body = account.clients.s3.get_object(Bucket=account.bucket, Key=key)["Body"].read()
    lines = csv.DictReader(io.StringIO(gzip.decompress(body).decode()))
    assert Counter(line["status"] for line in lines) == {
        "updated": 23,
        "no_cognito_user": 2063,
        "no_db_user": 3,
        "ambiguous": 3,
        "unlinked": 1,
        "follower": 2,
    }


def test_a_sync_alone_leaves_the_people_of_the_last_remap_logged_in(
    account: StagingAccount,
) -> None:
    run(account, {"sync_cognito": True})
    account.production.change("UPDATE users SET name = 'Somebody' WHERE id % 5 = 0")

    run(account, {})

    assert contents(account.staging) == contents(account.production)
    found = {
        login.person.name for login in log_in_everybody(account) if login.found is Found.OWN_ROW
    }
    assert found == LINKED


def test_cognito_only_remaps_staging_as_it_is_and_needs_no_production(
    account: StagingAccount,
) -> None:
    before = contents(account.staging)
    account.production.server.execute("postgres", "ALTER ROLE staging_sync NOLOGIN")
    try:
        execution = run(account, {"cognito_only": True})
    finally:
        account.production.server.execute("postgres", "ALTER ROLE staging_sync LOGIN")

    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert tasks(account, execution) == ["ListCognitoUsers", "UpdateDatabase"]
    assert set(execution.output) == {"cognito_mapping"}
    assert contents(account.staging) == before
    own = {login.person.name for login in log_in_everybody(account) if login.found is Found.OWN_ROW}
    # Rosa's row and Uma's new email are only in production; Robot and Tara have a row only here.
    assert own == (LINKED - {"Rosa", "Uma"}) | {"Robot", "Tara"}


def test_a_dry_run_says_what_a_run_would_do_and_writes_nothing(account: StagingAccount) -> None:
    before = everything(account)

    dry = run(account, {"dry_run": True})

    assert dry.output["db_sync"]["status"] == "dry_run"
    assert everything(account) == before
    real = run(account, {})
    for key in ("tables_changed", "rows_inserted", "rows_updated", "rows_deleted"):
        assert dry.output["db_sync"][key] == real.output["db_sync"][key]


def test_a_dry_run_of_everything_compares_the_remap_with_staging_as_it_is(
    account: StagingAccount,
) -> None:
    before = everything(account)

    dry = run(account, {"dry_run": True, "sync_cognito": True})

    assert dry.output["cognito_mapping"]["basis"] == "before_sync"
    assert everything(account) == before
    only = run(account, {"cognito_only": True})
    assert counts(dry.output["cognito_mapping"]) == counts(only.output["cognito_mapping"])


def test_the_real_aws_command_starts_an_execution(account: StagingAccount, tmp_path: Path) -> None:
    command = [
        str(AWS_VENV_BIN / "aws"),
        *("stepfunctions", "start-execution", "--output", "json"),
        *("--state-machine-arn", account.state_machine_arn, "--input", '{"sync_cognito": true}'),
    ]
    environment = clean_environment(tmp_path) | account.cloud.environment
    answer = subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603 - every argument is ours

    execution = wait(account, json.loads(answer.stdout)["executionArn"])

    assert execution.status == "SUCCEEDED"
    assert counts(execution.output["cognito_mapping"]) == COUNTS


def test_no_email_and_no_sub_enters_history_output_or_logs(account: StagingAccount) -> None:
    databases = (account.production, account.staging)
    known = {sub for database in databases for sub in subs(database).values() if sub}
    began = datetime.now(UTC)

    execution = run(account, {"sync_cognito": True})

    known |= {sub for sub in subs(account.staging).values() if sub}
    page = wait_for_page(account, execution.name)
    kept = json.dumps(history(account, execution.arn), default=str)
    logs = log_text(account, since=began)
    assert "UpdateDatabase" in kept
    assert execution.name in logs
    # WriteReport is left out: the page of the execution before this one may be written by now.
    started = sum(
        log_text(account, since=began, of=function).count("START RequestId")
        for function in ("DbSync", "ListCognitoUsers", "UpdateDb")
    )
    assert started == len(tasks(account, execution)) == 3
    for text in (kept, logs):
        assert "@" not in text
    for text in (kept, logs, page):
        assert not [sub for sub in known if sub in text]
