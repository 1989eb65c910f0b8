"""docs/deployment.md, followed by a new user: every command in it, in order, word by word."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from sandbox.bookshop.databases import BOOKSHOP
from sandbox.bookshop.people import Account
from sandbox.bookshop.pools import UserPool
from sandbox.clients import Clients
from sandbox.cloud import AWS_VENV_BIN, PROJECT, LocalAws, local_aws
from sandbox.deploy import build_host_layer
from sandbox.postgres import EmbeddedPostgres, temporary_server
from sandbox.processes import clean_environment
from tests.e2e.guide import Reader, guide_blocks

# The guide's account and Region: the local AWS treats an account id as its root's access key.
GUIDE_ACCOUNT, GUIDE_REGION = "111122223333", "eu-central-1"
DATABASES = {"production": "shop", "staging": "shop_staging"}
NOT_COPIED = shutil.ignore_patterns(".*", "build", "cdk.out", "__pycache__", "node_modules")
# It downloads from the internet; the databases here are reached through a socket.
CA_BUNDLE = "make ca-bundle\n"
PRODUCTION = """
INSERT INTO users (email, name, cognito_sub) VALUES
    ('ada@shop.example', 'Ada', 'sub-of-production-1'),
    ('boris@shop.example', 'Boris', 'sub-of-production-2');
INSERT INTO orders (user_id, status, placed_at, touched_at) VALUES (1, 'paid', now(), now());
"""
STAGING = "INSERT INTO users (email, name) VALUES ('old@shop.example', 'Old')"
USERS = "SELECT email, cognito_sub FROM users ORDER BY email"


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """Production and staging, whose tables belong to shop_owner."""
    with temporary_server() as running:
        # Like RDS's master; tests/integration/test_deployment_guide_sql.py tests what it may not.
        running.execute(
            "postgres",
            "CREATE ROLE master LOGIN PASSWORD 'its-own' CREATEROLE CREATEDB;"
            " GRANT SET ON PARAMETER session_replication_role TO master WITH GRANT OPTION;"
            " CREATE ROLE shop_owner; GRANT shop_owner TO master WITH ADMIN OPTION",
        )
        for database, rows in (("shop", PRODUCTION), ("shop_staging", STAGING)):
            running.execute("postgres", f"CREATE DATABASE {database} OWNER shop_owner")
            schema = (BOOKSHOP / "schema.sql").read_text()
            running.execute(database, f"SET ROLE shop_owner; {schema}; {rows}")
        yield running


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS in which nothing is deployed."""
    with local_aws(tmp_path / "aws") as running:
        yield running


@pytest.fixture
def administrator(cloud: LocalAws) -> Clients:
    """The clients of the account's administrator."""
    return Clients.of(cloud, access_key=GUIDE_ACCOUNT, region=GUIDE_REGION)


@pytest.fixture
def pool(administrator: Clients) -> UserPool:
    """Staging's user pool, still empty."""
    return UserPool.create(administrator.cognito, "staging")


@pytest.fixture
def reader(
    tmp_path: Path,
    server: EmbeddedPostgres,
    cloud: LocalAws,
    administrator: Clients,
    pool: UserPool,
) -> Reader:
    """A reader whose databases, VPC and pool already exist."""
    vpc = administrator.network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    security_group = administrator.network.create_security_group(
        GroupName="database", Description="staging's database", VpcId=vpc
    )["GroupId"]
    origin, temporary = tmp_path / "origin", tmp_path / "tmp"
    copy_project(origin)
    own = tmp_path / "own"
    for directory in (temporary, own):
        directory.mkdir()
    (own / "aws").symlink_to(AWS_VENV_BIN / "aws")
    environment = clean_environment(temporary) | cloud.environment
    del environment["AWS_DEFAULT_REGION"]  # the guide sets it

    def run_sql(side: str, text: str) -> None:
        # As a member of roles that log in with a password, the master must use one too.
        database = server.url(DATABASES[side], "master:its-own")
        server.run("psql", "-v", "ON_ERROR_STOP=1", "-d", database, stdin=text)

    return Reader(
        directory=tmp_path,
        environment={
            **environment,
            "AWS_ACCESS_KEY_ID": GUIDE_ACCOUNT,
            # Nobody can confirm.
            "CDK_REQUIRE_APPROVAL": "never",
            "CDK_FORCE": "true",
            # The AWS command line; nothing else of the project is on the reader's PATH.
            "PATH": f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        },
        run_sql=run_sql,
        replacements={
            "git clone https://github.com/your-organization/staging-sync.git": (
                f"cp -a {origin} staging-sync"
            ),
            "AWS_PROFILE=staging-admin ": "",
            "production.example.com": str(server.socket_dir),
            "staging.example.com": str(server.socket_dir),
            "vpc-11112222333344445": vpc,
            "sg-55556666777788889": security_group,
            "eu-central-1_ReplaceMe": pool.pool_id,
        },
        # The product's layer is for another platform than this machine.
        settings={"layer_dir": str(build_host_layer())},
    )


def prepare(reader: Reader, server: EmbeddedPostgres) -> None:
    """Follow the guide up to the deployment."""
    (identity,) = reader.follow("1. What you need")
    assert GUIDE_ACCOUNT in identity
    reader.follow("2. A role in each database")
    # So that the server checks the secrets' passwords.
    for role in ("staging_sync_reader", "staging_sync_writer"):
        server.execute("postgres", f"GRANT password_users TO {role}")
    group = reader.follow("3. The network")[0].split()[-1]
    prod, staging = reader.follow("4. The secrets")[0].split()
    arn = f"arn:aws:secretsmanager:{GUIDE_REGION}:{GUIDE_ACCOUNT}:secret:staging-sync/"
    reader.replacements |= {
        "sg-11112222333344445": group,
        f"{arn}production-AbCdEf": prod,
        f"{arn}staging-AbCdEf": staging,
    }
    reader.follow("5. The settings", without=(CA_BUNDLE,))


def rows(server: EmbeddedPostgres, database: str, query: str = USERS) -> list[tuple[object, ...]]:
    with (
        contextlib.closing(psycopg2.connect(server.url(database))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query)
        return cursor.fetchall()


def copy_project(origin: Path) -> None:
    """Copy what a clone would have, with virtual environments that are already installed."""
    shutil.copytree(PROJECT, origin, ignore=NOT_COPIED)
    now = time.time()
    for number, name in enumerate((".venv", ".venv-aws")):
        (origin / name).mkdir()
        for entry in (PROJECT / name).resolve().iterdir():
            if entry.name != ".installed":
                (origin / name / entry.name).symlink_to(entry)
        installed = origin / name / ".installed"
        installed.touch()
        os.utime(installed, (now + number, now + number))


def test_the_guide_followed_word_by_word_leads_to_a_staging_that_refreshes_itself(
    reader: Reader, server: EmbeddedPostgres, administrator: Clients, pool: UserPool
) -> None:
    ada = pool.add(Account("ada", "ada@shop.example"))
    prepare(reader, server)
    reader.follow("6. Deploy")

    dry, real = (block for block in guide_blocks() if block.section == "7. The first run")
    before = rows(server, "shop_staging")
    assert "SUCCEEDED" in reader.do(dry)
    assert rows(server, "shop_staging") == before
    assert "SUCCEEDED" in reader.do(real)
    assert rows(server, "shop_staging") == [
        ("ada@shop.example", ada),
        ("boris@shop.example", "sub-of-production-2"),
    ]
    assert rows(server, "shop_staging", "SELECT status FROM orders") == [("paid",)]

    scheduled, listed = reader.follow("8. The schedule")[1:]
    assert scheduled.splitlines()[-1].endswith("\tENABLED")
    assert "\tSUCCEEDED" in listed

    reader.follow("Removing it")
    stacks = administrator.cloudformation.list_stacks()["StackSummaries"]
    assert {
        stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"
    } == {"CDKToolkit"}
    assert rows(server, "shop", "SELECT FROM pg_roles WHERE rolname LIKE 'staging_sync%'") == []
    assert reader.used == set(reader.replacements)
