"""The schedule that the stack deploys starts the workflow by itself."""

import json
import time

from sandbox.account import StagingAccount
from sandbox.execution import history, wait
from sandbox.logins import Found, log_in_everybody
from tests.e2e.tools import schedule_enabled

TIMEOUT = 90  # seconds; it fires a minute after it was made, to the next ten seconds


def arns(account: StagingAccount) -> set[str]:
    """Return the executions that there have been."""
    pages = account.clients.states.get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=account.state_machine_arn)
    return {entry["executionArn"] for page in found for entry in page["executions"]}


def test_the_schedule_fires_by_itself_with_the_input_that_relinks_the_users(
    account: StagingAccount,
) -> None:
    before = arns(account)
    with schedule_enabled(account):
        deadline = time.monotonic() + TIMEOUT
        while not (fired := arns(account) - before) and time.monotonic() < deadline:
            time.sleep(0.5)

    (arn,) = fired
    assert wait(account, arn).status == "SUCCEEDED"
    started = history(account, arn)[0]["executionStartedEventDetails"]
    assert json.loads(started["input"]) == {"sync_cognito": True}
    assert sum(login.found is Found.OWN_ROW for login in log_in_everybody(account)) == 22
