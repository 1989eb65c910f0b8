"""The real CDK CLI deploys a stack with every setting, and updates it in place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.masking.keys import MaskKey
from sandbox.account import StagingAccount
from sandbox.bookshop.followers import FOLLOW, FOLLOWERS, wishlist_by_email, wishlist_of
from sandbox.bookshop.people import PEOPLE, Outcome
from sandbox.cloud import ACCOUNT, REGION
from sandbox.deploy import build_host_layer, deploy
from statemachine.execution import run
from tests.e2e.stacks import of_stack, outputs, remove_environment, remove_stack
from tests.e2e.tools import files
from tests.infra.synthesized import every_setting
from tests.support.waiting import wait_until

FULL = "full"
FULL_STACK = f"staging-sync-{FULL}"
EXISTING_STACK = "existing-resources"
MASK_KEY = "0123456789abcdef" * 4
TEMPLATE = Path(__file__).with_name("existing_resources.json")
# What the update changes: a property of each kind of resource.
CHANGED = {
    "memory_mb": 2048,
    "timeout_seconds": 700,
    "log_retention_days": 60,
    "schedule_expression": "rate(12 hours)",
    "schedule_dead_letter_queue": True,
    "tags": {"team": "shop"},
}


@pytest.fixture
def settings(account: StagingAccount, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Every setting, with existing resources: secrets, pool, network, key, topics, boundary."""
    cloudformation = account.clients.cloudformation
    cloudformation.create_stack(
        StackName=EXISTING_STACK,
        TemplateBody=TEMPLATE.read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    wait_until(lambda: is_settled(account, EXISTING_STACK), "the resources of the settings exist")
    of = outputs(account, EXISTING_STACK)
    key = account.clients.secrets.create_secret(
        Name="full/mask-key", SecretString=MASK_KEY, KmsKeyId=of["Key"]
    )["ARN"]
    yield {
        **every_setting(tmp_path, build_host_layer()),
        "account": ACCOUNT,
        "region": REGION,
        "prod_secret_arn": account.production_secret_arn,
        "staging_secret_arn": account.staging_secret_arn,
        "prod_database": {"dbname": account.production.secret["dbname"]},
        "staging_database": {"host": account.staging.secret["host"]},
        "secrets_kms_key_arns": [of["Key"]],
        "kms_key_arn": of["Key"],
        "vpc_id": of["Vpc"],
        "subnet_ids": [of["SubnetA"], of["SubnetB"]],
        "availability_zones": [f"{REGION}a", f"{REGION}b"],
        "security_group_ids": [of["SecurityGroup"]],
        "route_table_ids": [of["RouteTable"]],
        "permissions_boundary_arn": of["Boundary"],
        "alarm_topic_arn": of["Topic"],
        "chat_topic_arn": of["ChatTopic"],
        "termination_protection": False,  # the stack is deleted in the end
        "user_pool_id": account.pools.staging.pool_id,
        "users_table": "public.users",
        "email_column": "email",
        "sub_column": "cognito_sub",
        "users_where": "joined_on IS NOT NULL",
        "sync_rules": {
            "exclude": ["public.page_views"],
            "mask": {
                "*.email": {"with": "email", "keep_domains": ["example.com"]},
                "public.users.name": "name",
                "public.users.cognito_sub": "hash",
                "public.wishlists.owner_sub": "hash",
            },
            "follow": FOLLOW,
        },
        "mask_key_secret_arn": key,
    }
    account.clients.secrets.delete_secret(SecretId=key, ForceDeleteWithoutRecovery=True)
    remove_environment(account, FULL)
    remove_stack(account, EXISTING_STACK)


def test_the_full_configuration_is_deployed_runs_and_is_updated_in_place(
    account: StagingAccount, settings: dict[str, Any], tmp_path: Path
) -> None:
    deploy(
        account.cloud,
        settings,
        tmp_path / "first",
        environment=FULL,
        is_bootstrapped=True,
    )
    full = of_stack(account, FULL)
    before = resources(account)
    assert {"AWS::EC2::VPCEndpoint", "AWS::Lambda::LayerVersion"} <= {kind for kind, _ in before}
    assert limits(account) == {(1769, 600), (512, 60)}
    assert retentions(account, before) == {30}
    first = run(full, {"sync_cognito": True})
    assert (first.status, first.cause) == ("SUCCEEDED", "")
    written = files(full, first)
    assert_masked_and_linked(account)

    deploy(
        account.cloud,
        {**settings, **CHANGED},
        tmp_path / "second",
        environment=FULL,
        is_bootstrapped=True,
    )

    after = resources(account)
    # Nothing was replaced, and the queue is new.
    assert before.keys() <= after.keys()
    assert "AWS::SQS::Queue" in {kind for kind, _ in after.keys() - before.keys()}
    assert limits(account) == {(2048, 700), (512, 60)}
    assert retentions(account, after) == {60}
    assert schedule_of(account, after)["ScheduleExpression"] == "rate(12 hours)"
    assert files(full, first) == written
    second = run(full, {"sync_cognito": True})
    assert (second.status, second.output["db_sync"]["status"]) == ("SUCCEEDED", "unchanged")


def assert_masked_and_linked(account: StagingAccount) -> None:
    """Check that no address, name or sub is production's, and that people find their rows."""
    users = "SELECT email, name, cognito_sub, id FROM users"
    real, masked = account.production.rows(users), account.staging.rows(users)
    assert {row[3] for row in masked} == {row[3] for row in real}
    domains = {email.partition("@")[2] for email, *_ in masked}
    assert domains == {f"m{MaskKey(MASK_KEY).tag}.invalid"}
    customers = {name for _, name, *_ in real if name.startswith("Customer ")}
    assert customers
    assert not customers & {name for _, name, *_ in masked}
    found = {sub: id_ for *_, sub, id_ in masked}
    own_rows = {email: id_ for email, _, _, id_ in real}
    subs = set()
    for person in PEOPLE:
        if person.outcome is Outcome.LINKED and person.accounts[0].verified:
            sub = account.pools.staging.log_in(person.accounts[0].username)
            assert found.get(sub) == own_rows[person.rows[0]], person.name
            wishlist = wishlist_by_email(account.production, person.rows[0])
            assert wishlist_of(account.staging, sub) == wishlist, person.name
            subs.add(sub)
    held = found.keys() | {
        sub
        for table, column in FOLLOWERS
        for (sub,) in account.staging.rows(f"SELECT {column} FROM {table}")
    }
    assert not ({row[2] for row in real} - subs - {None}) & held


type Resources = dict[tuple[str, str], str]


def is_settled(account: StagingAccount, stack: str) -> bool:
    (found,) = account.clients.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return found["StackStatus"] == "CREATE_COMPLETE"


def resources(account: StagingAccount) -> Resources:
    """Return the stack's resources: (type, physical id) to logical id."""
    found = account.clients.cloudformation.describe_stack_resources(StackName=FULL_STACK)
    return {
        (entry["ResourceType"], entry["PhysicalResourceId"]): entry["LogicalResourceId"]
        for entry in found["StackResources"]
    }


def limits(account: StagingAccount) -> set[tuple[int, int]]:
    """Return memory and timeout of the stack's Lambdas."""
    functions = account.clients.functions.list_functions()["Functions"]
    return {
        (function["MemorySize"], function["Timeout"])
        for function in functions
        if function["FunctionName"].startswith(FULL_STACK)
    }


def retentions(account: StagingAccount, of: Resources) -> set[int]:
    """Return for how many days the stack's logs are kept."""
    names = {name for kind, name in of if kind == "AWS::Logs::LogGroup"}
    groups = account.clients.logs.describe_log_groups()["logGroups"]
    return {group["retentionInDays"] for group in groups if group["logGroupName"] in names}


def schedule_of(account: StagingAccount, of: Resources) -> Any:
    (name,) = (name for kind, name in of if kind == "AWS::Scheduler::Schedule")
    return account.clients.scheduler.get_schedule(Name=name)
