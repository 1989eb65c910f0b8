"""The real Lambdas' surroundings: two real databases, a bucket and a pool in moto."""

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from sandbox.database import Database
from tests.support.bucket import BUCKET, REGION
from tests.support.databases import Databases

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, cognito_sub text UNIQUE);
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users);
"""
PRODUCTION = """
INSERT INTO users VALUES
    (1, 'jane@example.com', 'production-1'),
    (2, 'joe@example.com', 'production-2'),
    (3, 'left@example.com', 'production-3');
INSERT INTO orders VALUES (10, 1), (11, 2), (12, 2);
"""
STAGING = """
INSERT INTO users VALUES
    (1, 'jane@example.com', 'production-1'), (9, 'gone@example.com', 'production-9');
INSERT INTO orders VALUES (10, 9);
"""
PASSWORD = "Tr0ub4dor&3"
USERS = "SELECT id, email, cognito_sub FROM users ORDER BY id"
ORDERS = "SELECT id, user_id FROM orders ORDER BY id"


@dataclass(frozen=True, slots=True)
class Staging:
    """The databases and the bucket, and the subs of the people in staging's pool."""

    production: Database
    target: Database
    subs: dict[str, str]
    s3: "S3Client"

    def files(self, execution: str) -> list[str]:
        """Return the names of an execution's files in the exchange bucket."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"executions/{execution}/")
        return [each["Key"].split("/", 2)[2] for each in found.get("Contents", [])]

    def read(self, execution: str, name: str) -> str:
        """Return the text of a file, uncompressed."""
        found = self.s3.get_object(Bucket=BUCKET, Key=f"executions/{execution}/{name}")
        content = found["Body"].read()
        return (gzip.decompress(content) if name.endswith(".gz") else content).decode()


def make_staging(databases: Databases) -> tuple[Staging, dict[str, str]]:
    """Return staging before a run, and the Lambdas' environment variables."""
    production, target = databases.pair(SCHEMA, PRODUCTION, STAGING)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    pool_id, subs = _sign_up("Jane@Example.com", "joe@example.com", "staging-only@example.com")
    environment = {
        "PROD_SECRET_ARN": _store_secret("production", production),
        "STAGING_SECRET_ARN": _store_secret("staging", target),
        "EXCHANGE_BUCKET": BUCKET,
        "COGNITO_USER_POOL_ID": pool_id,
        "SYNC_RULES": json.dumps({"keep": ["public.users.cognito_sub"]}),
    }
    return Staging(production, target, subs, s3), environment


def _sign_up(*emails: str) -> tuple[str, dict[str, str]]:
    """Return the id of a new pool and the sub of each user in it."""
    cognito = boto3.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="staging")["UserPool"]["Id"]
    subs = {}
    for number, email in enumerate(emails):
        user = cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=f"chosen-name-{number}",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )["User"]
        subs[email] = next(each["Value"] for each in user["Attributes"] if each["Name"] == "sub")
    return pool_id, subs


def _store_secret(name: str, database: Database) -> str:
    secret = {
        "host": str(database.server.socket_dir),
        "port": 5432,
        "username": "postgres",
        "password": PASSWORD,
        "dbname": database.name,
    }
    client = boto3.client("secretsmanager")
    return client.create_secret(Name=name, SecretString=json.dumps(secret))["ARN"]
