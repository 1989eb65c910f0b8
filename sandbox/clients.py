"""boto3 clients for the local AWS only."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session
from boto3.session import Session
from botocore.config import Config

from sandbox.cloud import CREDENTIALS, REGION, LocalAws

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, slots=True)
class Clients:
    """One client for each service that the sandbox and its tests use."""

    cloudformation: "CloudFormationClient"
    cognito: "CognitoIdentityProviderClient"
    functions: "LambdaClient"
    iam: Any  # these five services have no stubs installed
    logs: Any
    network: Any
    queues: Any
    topics: Any
    s3: "S3Client"
    scheduler: "EventBridgeSchedulerClient"
    secrets: "SecretsManagerClient"
    states: "SFNClient"

    @classmethod
    def of(
        cls,
        cloud: LocalAws,
        *,
        access_key: str = CREDENTIALS["AWS_ACCESS_KEY_ID"],
        region: str = REGION,
    ) -> "Clients":
        """Return the clients of a local AWS, by default for the sandbox's account."""
        session = _session(access_key, region)
        # A proxy could not reach this machine's 127.0.0.1.
        options: dict[str, Any] = {
            "endpoint_url": cloud.endpoint,
            "verify": str(cloud.authority),
            "config": Config(proxies={}),
        }
        return cls(
            cloudformation=session.client("cloudformation", **options),
            cognito=session.client("cognito-idp", **options),
            functions=session.client("lambda", **options),
            iam=session.client("iam", **options),
            logs=session.client("logs", **options),
            network=session.client("ec2", **options),
            queues=session.client("sqs", **options),
            topics=session.client("sns", **options),
            s3=session.client("s3", **options),
            scheduler=session.client("scheduler", **options),
            secrets=session.client("secretsmanager", **options),
            states=session.client("stepfunctions", **options),
        )


def _session(access_key: str, region: str) -> Session:
    """Return a session that ignores the user's AWS profile and configuration files."""
    nowhere = (None, None, os.devnull, None)
    core = botocore.session.Session(
        {
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )
    return Session(
        aws_access_key_id=access_key,
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
        botocore_session=core,
    )
