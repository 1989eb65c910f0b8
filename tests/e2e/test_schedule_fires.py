"""The schedule that the stack deploys starts the workflow."""

import json

from sandbox.account import StagingAccount
from sandbox.bookshop.logins import Found, log_in_everybody
from statemachine.execution import history, wait
from tests.e2e.tools import LINKED, schedule_fires_soon
from tests.support.waiting import wait_until

FIRES_WITHIN = 90  # seconds; it fires a minute after it was created, within ten seconds


def arns(account: StagingAccount) -> set[str]:
    """Return the ARNs of all executions."""
    pages = account.clients.states.get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=account.state_machine_arn)
    return {entry["executionArn"] for page in found for entry in page["executions"]}


def test_the_schedule_fires_by_itself_with_the_input_that_relinks_the_users(
    account: StagingAccount,
) -> None:
    before = arns(account)
    with schedule_fires_soon(account):
        wait_until(lambda: arns(account) - before, "the schedule fires", seconds=FIRES_WITHIN)

    (arn,) = arns(account) - before
    assert wait(account, arn).status == "SUCCEEDED"
    started = history(account, arn)[0]["executionStartedEventDetails"]
    assert json.loads(started["input"]) == {"sync_cognito": True}
    found = log_in_everybody(account)
    assert {login.person.name for login in found if login.found is Found.OWN_ROW} == LINKED
