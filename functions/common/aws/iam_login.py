"""Logging in to RDS by IAM: a token instead of a password, for one connection.

A token is valid for 15 minutes, is computed without a call to AWS, and holds for one endpoint, port
and user in one Region:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
"""

import os
from dataclasses import dataclass
from typing import Any

import boto3

from common.aws.clients import CLIENT_CONFIG, aws_errors, give_up_soon
from common.postgres.connection.address import DatabaseAddress

SESSION_NAME = "staging-sync"  # CloudTrail shows it


@dataclass(frozen=True, slots=True)
class IamLogin:
    """Who logs in where; `role_arn`: a role of the database's account that is assumed first."""

    host: str
    port: str
    user: str
    region: str
    role_arn: str = ""

    def address(self, dbname: str, ca_bundle: str) -> DatabaseAddress:
        """Return the address of a database on that server; each connection gets a new token."""
        server = DatabaseAddress.of_server(
            host=self.host,
            port=self.port,
            user=self.user,
            password="",
            dbname=dbname,
            ca_bundle=ca_bundle,
        )
        return server.with_tokens(self.token)

    def token(self) -> str:
        """Return a token for one connection.

        Raises:
            ConfigurationError: the role cannot be assumed.
        """
        client: Any = boto3.client("rds", region_name=self.region, **self._credentials())
        with aws_errors(f"make a token for {self.host}"):
            token: str = client.generate_db_auth_token(
                DBHostname=self.host, Port=int(self.port), DBUsername=self.user
            )
        return token

    def _credentials(self) -> dict[str, Any]:
        """Return the assumed role's credentials; the Lambda's own where there is no role."""
        if not self.role_arn:
            return {}
        # In the Lambda's Region: its VPC may have an endpoint for that Region only.
        client = boto3.client(
            "sts", region_name=os.environ.get("AWS_REGION", self.region), config=CLIENT_CONFIG
        )
        give_up_soon(client)
        with aws_errors(f"assume the role {self.role_arn}"):
            answer = client.assume_role(RoleArn=self.role_arn, RoleSessionName=SESSION_NAME)
        assumed = answer["Credentials"]
        return {
            "aws_access_key_id": assumed["AccessKeyId"],
            "aws_secret_access_key": assumed["SecretAccessKey"],
            "aws_session_token": assumed["SessionToken"],
        }
