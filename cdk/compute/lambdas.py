"""The Lambdas: their environment variables and their permissions."""

import json
from dataclasses import replace
from typing import Any

from aws_cdk import ArnFormat, Stack, aws_iam, aws_kms, aws_lambda
from constructs import Construct

from cdk.compute.database_access import grant_login
from cdk.compute.endpoints import Endpoints
from cdk.compute.layer import CaBundle, DependencyLayer, RulesFile
from cdk.compute.network import Network, find_network
from cdk.compute.python_function import Limits, PythonFunction
from cdk.compute.secret_access import grant_read_secret
from cdk.exchange import ExchangeBucket
from cdk.settings.arns import console_of_executions
from cdk.settings.model import Settings
from common.manifest import MANIFEST_NAME
from common.reports.remap import PEOPLE
from common.reports.remap import REPORT as REMAP_REPORT
from common.reports.sync import REPORT as SYNC_REPORT
from db_sync.environment import DbSyncEnvironment
from list_cognito_users.environment import ListCognitoUsersEnvironment
from update_db.environment import UpdateDbEnvironment
from write_report.environment import WriteReportEnvironment
from write_report.history import PAGE

# Characters of rules that are put into a variable. All of a Lambda's variables together may have
# 4 KB, which no quota raises (Lambda developer guide, "Lambda quotas"); the others have up to 2.
MOST_IN_VARIABLE = 2000
PARTS = "parts/*"
# Not the settings', which are those of a sync. A page of a thousand tables takes a second.
REPORT_LIMITS = Limits(memory_mb=512, seconds=60)


class Lambdas(Construct):
    """Four functions with one code asset and one layer, and a role for each."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        settings: Settings,
        exchange: ExchangeBucket,
        key: aws_kms.IKey | None,
    ) -> None:
        """Create the functions.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the value of the metrics' dimension.
            settings: the environment's settings.
            exchange: the bucket that the functions share.
            key: a customer managed key for their logs.
        """
        super().__init__(scope, id_)
        self._settings = settings
        self._exchange = exchange
        self._defaults: dict[str, Any] = {"name": name, "settings": settings, "key": key}
        self._limits = Limits(settings.memory_mb, settings.timeout_seconds)
        self._layer = DependencyLayer(self, "Layer", layer_dir=settings.layer_dir)
        self._ca_bundle = (
            CaBundle(self, "CaBundle", file=settings.ca_bundle) if settings.ca_bundle else None
        )
        network = find_network(self, settings)
        if network and settings.vpc_endpoints:
            Endpoints(self, "Endpoints", network=network, settings=settings)
        self.db_sync = self._create_db_sync(network)
        self.list_cognito_users = self._create_list_cognito_users()
        self.update_db = self._create_update_db(network)
        self.write_report = self._create_write_report()

    @property
    def _database_layers(self) -> list[aws_lambda.ILayerVersion]:
        """The layers of a function that connects to a database."""
        return [self._layer, *([self._ca_bundle] if self._ca_bundle else [])]

    @property
    def _ca_bundle_path(self) -> str | None:
        """The certificates' path in a function that connects to a database."""
        return self._ca_bundle.path if self._ca_bundle else None

    def _create_db_sync(self, network: Network | None) -> PythonFunction:
        settings = self._settings
        rules = settings.sync_rules.variable(settings.kept_columns)
        file = RulesFile(self, "Rules", rules=rules) if len(rules) > MOST_IN_VARIABLE else None
        db_sync = PythonFunction(
            self,
            "DbSync",
            package="db_sync",
            description="Makes the staging database's rows equal to production's",
            layers=[*self._database_layers, *([file] if file else [])],
            environment=DbSyncEnvironment(
                exchange_bucket=self._exchange.name,
                prod_secret_arn=settings.prod_secret_arn,
                prod_database=settings.prod_database.variable(),
                staging_secret_arn=settings.staging_secret_arn,
                staging_database=settings.staging_database.variable(),
                database_ca_bundle=self._ca_bundle_path,
                sync_rules="" if file else rules,
                sync_rules_file=file.path if file else None,
                mask_key_secret_arn=settings.mask_key_secret_arn,
                in_parts=settings.in_parts,
                parts_concurrency=settings.parts_concurrency,
            ),
            network=network,
            limits=replace(self._limits, disk_mb=settings.ephemeral_storage_mb),
            **self._defaults,
        )
        for side in ("prod", "staging"):
            grant_login(db_sync.role, settings, side)
        if settings.mask_key_secret_arn:
            self._grant_mask_key(db_sync.role, settings.mask_key_secret_arn)
        self._exchange.grant_write(db_sync.role, "db-sync.json")
        # What the invocations of a divided sync tell each other.
        self._exchange.grant_read(db_sync.role, PARTS)
        self._exchange.grant_write(db_sync.role, PARTS)
        self._exchange.grant_list(db_sync.role, PARTS)
        return db_sync

    def _create_list_cognito_users(self) -> PythonFunction:
        """Create it outside the VPC: PrivateLink does not serve a user pool that has a domain."""
        settings = self._settings
        list_cognito_users = PythonFunction(
            self,
            "ListCognitoUsers",
            package="list_cognito_users",
            description="Writes email and sub of every user in staging's pool to S3",
            limits=self._limits,
            layers=[self._layer],
            environment=ListCognitoUsersEnvironment(
                exchange_bucket=self._exchange.name,
                cognito_user_pool_id=settings.user_pool_id,
                list_users_rps=settings.list_users_rps,
            ),
            network=None,
            **self._defaults,
        )
        self._exchange.grant_upload(list_cognito_users.role, "cognito-users/*")
        # An earlier invocation wrote there how far it got.
        self._exchange.grant_read(list_cognito_users.role, "cognito-users/manifest.json")
        if settings.user_pool_id:
            self._grant_list_users(list_cognito_users.role, settings.user_pool_id)
        return list_cognito_users

    def _create_update_db(self, network: Network | None) -> PythonFunction:
        settings = self._settings
        email_mask = settings.email_mask
        mask_key = settings.mask_key_secret_arn if email_mask else None
        update_db = PythonFunction(
            self,
            "UpdateDb",
            package="update_db",
            description="Sets users' subs in staging to those of its pool, matched by email",
            limits=self._limits,
            layers=self._database_layers,
            environment=UpdateDbEnvironment(
                exchange_bucket=self._exchange.name,
                staging_secret_arn=settings.staging_secret_arn,
                staging_database=settings.staging_database.variable(),
                database_ca_bundle=self._ca_bundle_path,
                users_table=settings.users_table,
                email_column=settings.email_column,
                sub_column=settings.sub_column,
                users_where=settings.users_where or "",
                require_verified_email=settings.require_verified_email,
                release_mismatched=settings.release_mismatched,
                min_matched_percent=settings.min_matched_percent,
                email_mask=json.dumps(email_mask.as_json()) if email_mask else None,
                mask_key_secret_arn=mask_key,
                follow=settings.follow_variable or UpdateDbEnvironment.follow,
            ),
            network=network,
            **self._defaults,
        )
        grant_login(update_db.role, settings, "staging")
        if mask_key:
            self._grant_mask_key(update_db.role, mask_key)
        self._exchange.grant_read(update_db.role, "cognito-users/*")
        self._exchange.grant_upload(update_db.role, PEOPLE)
        self._exchange.grant_write(update_db.role, REMAP_REPORT)
        return update_db

    def _create_write_report(self) -> PythonFunction:
        """Create it outside the VPC: it needs neither a database nor a secret."""
        stack = Stack.of(self)
        write_report = PythonFunction(
            self,
            "WriteReport",
            package="write_report",
            description="Writes a page about each execution that has ended",
            layers=[self._layer],
            environment=WriteReportEnvironment(
                exchange_bucket=self._exchange.name,
                executions_console=console_of_executions(stack.region, self._settings.partition),
            ),
            network=None,
            limits=REPORT_LIMITS,
            **self._defaults,
        )
        role = write_report.role
        for file in (SYNC_REPORT, REMAP_REPORT, MANIFEST_NAME, PAGE):
            self._exchange.grant_read(role, file)
        self._exchange.grant_list(role)
        self._exchange.grant_write(role, PAGE)
        self._exchange.grant_write_latest(role, PAGE)
        return write_report

    def _grant_mask_key(self, role: aws_iam.Role, secret_arn: str) -> None:
        grant_read_secret(role, secret_arn, self._settings.secrets_kms_key_arns)

    def _grant_list_users(self, role: aws_iam.Role, user_pool_id: str) -> None:
        pool = Stack.of(self).format_arn(
            service="cognito-idp",
            resource="userpool",
            resource_name=user_pool_id,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        role.add_to_policy(
            aws_iam.PolicyStatement(
                actions=["cognito-idp:ListUsers", "cognito-idp:DescribeUserPool"],
                resources=[pool],
            )
        )
