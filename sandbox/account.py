"""A staging account on one machine: two databases, a local AWS, and the deployed stack."""

import contextlib
import json
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.bookshop.databases import (
    Bookshop,
    create_production,
    create_staging,
    fill_production,
    fill_staging,
)
from sandbox.bookshop.followers import FOLLOW
from sandbox.bookshop.pools import Pools
from sandbox.clients import Clients
from sandbox.cloud import LocalAws, local_aws
from sandbox.deploy import STACK, build_host_layer, deploy
from sandbox.postgres import EmbeddedPostgres
from sandbox.signals import held

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

type Settings = Mapping[str, object]  # as in cdk.json

RULES: Settings = {"follow": FOLLOW}


@dataclass(frozen=True, slots=True)
class StagingAccount:
    """The running parts, the stack's settings, and how to reach all of it."""

    cloud: LocalAws
    clients: Clients
    production: Bookshop
    staging: Bookshop
    pools: Pools
    settings: Settings
    production_secret_arn: str
    staging_secret_arn: str
    mask_key_secret_arn: str
    state_machine_arn: str
    bucket: str

    @property
    def states(self) -> "SFNClient":
        """The client of Step Functions."""
        return self.clients.states

    def function_name(self, package: str) -> str:
        """Return the deployed name of a Lambda, e.g. of "db_sync"."""
        functions = self.clients.functions.list_functions()["Functions"]
        (name,) = (
            function["FunctionName"]
            for function in functions
            if function["Handler"] == f"{package}.handler.handler"
        )
        return name


@contextlib.contextmanager
def staging_account(
    *,
    schedule: str | None = None,
    sync_rules: Settings = RULES,
    announce: Callable[[str], None] = lambda _: None,
) -> Iterator[StagingAccount]:
    """Run a staging account for the length of a with statement and leave nothing behind.

    Args:
        schedule: an EventBridge Scheduler expression; without one there is no schedule.
        sync_rules: those of cdk.json, by default without masks; those with the bookshop's masks are
            in `bookshop.masks`.
        announce: is called with a sentence before each step.

    Raises:
        SandboxError: a part of it could not be started.
    """
    with contextlib.ExitStack() as everything, ThreadPoolExecutor() as threads:
        announce("Starting two PostgreSQL servers and a local AWS")
        # In threads, which no signal interrupts: a server that was started is always registered.
        with held():
            temporary = tempfile.TemporaryDirectory(prefix="staging-sync-")
            root = Path(everything.enter_context(temporary))
            creating = [
                threads.submit(_create, everything, root / "production", create_production),
                threads.submit(_create, everything, root / "staging", create_staging),
            ]
        layer = build_host_layer()
        cloud = everything.enter_context(local_aws(root / "aws"))
        clients = Clients.of(cloud)
        pools = Pools.create(clients.cognito)
        production, staging = (task.result() for task in creating)
        announce("Filling them with a bookshop, and deploying the stack with the CDK CLI")
        with held():
            filling = [
                threads.submit(fill_production, production, pools.subs),
                threads.submit(fill_staging, staging, pools.subs),
            ]
        arns = _store_secrets(clients, production, staging)
        settings = {
            **_settings(arns, pools, layer),
            "schedule_expression": schedule,
            "sync_rules": sync_rules,
            "mask_key_secret_arn": arns["mask_key_secret_arn"] if "mask" in sync_rules else None,
        }
        deploy(cloud, settings, root / "deploy")
        for task in filling:
            task.result()
        names = arns | _stack_outputs(clients)
        yield StagingAccount(cloud, clients, production, staging, pools, settings, **names)


def _create(
    everything: contextlib.ExitStack,
    directory: Path,
    create: Callable[[EmbeddedPostgres], Bookshop],
) -> Bookshop:
    """Create a database on its own server, which is stopped with everything else."""
    directory.mkdir()
    server = EmbeddedPostgres(directory)
    everything.callback(server.stop)
    return create(server)


def _store_secrets(clients: Clients, production: Bookshop, staging: Bookshop) -> dict[str, str]:
    """Store both databases' secrets and a mask key; return their ARNs by the account's fields."""
    texts = {
        "production": json.dumps(production.secret),
        "staging": json.dumps(staging.secret),
        "mask_key": secrets.token_hex(32),
    }
    return {
        f"{name}_secret_arn": clients.secrets.create_secret(
            Name=f"bookshop/{name}", SecretString=text
        )["ARN"]
        for name, text in texts.items()
    }


def _settings(arns: dict[str, str], pools: Pools, layer: Path) -> Settings:
    """Return what cdk.json would say about this environment."""
    return {
        "prod_secret_arn": arns["production_secret_arn"],
        "staging_secret_arn": arns["staging_secret_arn"],
        "user_pool_id": pools.staging.pool_id,
        "layer_dir": str(layer),
        "retain_data": False,
        "alarm_email": "on-call@example.com",
    }


def _stack_outputs(clients: Clients) -> dict[str, str]:
    (stack,) = clients.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return {
        "state_machine_arn": outputs["StateMachineArn"],
        "bucket": outputs["ExchangeBucketName"],
    }
