"""Further stacks in the sandbox's account, which a test deploys and removes."""

import dataclasses

from sandbox.account import StagingAccount
from sandbox.pages import wait_for_page
from tests.support.waiting import wait_until


def outputs(account: StagingAccount, stack: str) -> dict[str, str]:
    """Return a stack's outputs."""
    (found,) = account.clients.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def of_stack(account: StagingAccount, environment: str) -> StagingAccount:
    """Return the account with an environment's state machine and bucket instead of its own."""
    of = outputs(account, _stack(environment))
    return dataclasses.replace(
        account, state_machine_arn=of["StateMachineArn"], bucket=of["ExchangeBucketName"]
    )


def remove_environment(account: StagingAccount, environment: str) -> None:
    """Delete an environment's stack with what is in its bucket."""
    stack = of_stack(account, environment)
    client, bucket = stack.clients.s3, stack.bucket
    for execution in stack.states.list_executions(stateMachineArn=stack.state_machine_arn)[
        "executions"
    ]:
        wait_for_page(stack, execution["name"])  # or it would be written after the rest is deleted
    for entry in client.list_objects_v2(Bucket=bucket).get("Contents", []):
        client.delete_object(Bucket=bucket, Key=entry["Key"])
    remove_stack(account, _stack(environment))


def remove_stack(account: StagingAccount, stack: str) -> None:
    """Delete a stack and wait until it is deleted, for the other tests."""
    cloudformation = account.clients.cloudformation
    cloudformation.delete_stack(StackName=stack)

    def is_gone() -> bool:
        try:
            (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except cloudformation.exceptions.ClientError:
            return True
        return found["StackStatus"] == "DELETE_COMPLETE"

    wait_until(is_gone, f"{stack} is gone")


def _stack(environment: str) -> str:
    return f"staging-sync-{environment}"
