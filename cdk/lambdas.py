"""The three Lambdas: what each is told, and what each may do."""

import json

from aws_cdk import Acknowledgment, ArnFormat, Stack, Validations, aws_ec2, aws_iam
from constructs import Construct

from config import Settings
from exchange import ExchangeBucket
from layer import DependencyLayer
from python_function import Network, PythonFunction


class Lambdas(Construct):
    """DbSync, ListCognitoUsers and UpdateDb: one code asset, one layer, a role each."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: Settings, exchange: ExchangeBucket
    ) -> None:
        """Create the functions.

        Args:
            scope: the parent.
            id_: the construct's id.
            settings: the environment's settings.
            exchange: the bucket that the functions share.
        """
        super().__init__(scope, id_)
        self._settings = settings
        self._exchange = exchange
        self._layer = DependencyLayer(self, "Layer", layer_dir=settings.layer_dir)
        network = self._import_network()
        self.db_sync = self._create_db_sync(network)
        self.list_cognito_users = self._create_list_cognito_users()
        self.update_db = self._create_update_db(network)

    def _import_network(self) -> Network | None:
        settings = self._settings
        if settings.vpc_id is None:
            return None
        vpc = aws_ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=settings.vpc_id,
            availability_zones=list(settings.availability_zones),
            private_subnet_ids=list(settings.subnet_ids),
        )
        Validations.of(vpc).acknowledge(
            Acknowledgment(
                id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
                reason="Nothing here looks at the subnets' routes.",
            )
        )
        groups = [
            aws_ec2.SecurityGroup.from_security_group_id(
                self, f"SecurityGroup{index}", group, mutable=False
            )
            for index, group in enumerate(settings.security_group_ids)
        ]
        return Network(vpc, groups)

    def _create_db_sync(self, network: Network | None) -> PythonFunction:
        settings = self._settings
        rules = {
            "exclude": list(settings.sync_rules.exclude),
            "keep": list(settings.kept_columns),
        }
        db_sync = PythonFunction(
            self,
            "DbSync",
            package="db_sync",
            description="Makes the staging database's rows equal to production's",
            layer=self._layer,
            environment={
                "PROD_SECRET_ARN": settings.prod_secret_arn,
                "STAGING_SECRET_ARN": settings.staging_secret_arn,
                "EXCHANGE_BUCKET": self._exchange.name,
                "SYNC_RULES": json.dumps(rules),
            },
            network=network,
            retain_logs=settings.retain_data,
        )
        _let_read_secrets(db_sync.role, settings.prod_secret_arn, settings.staging_secret_arn)
        self._exchange.let_write(db_sync.role, "db-sync.json")
        return db_sync

    def _create_list_cognito_users(self) -> PythonFunction:
        """Outside the VPC: PrivateLink does not serve a user pool that has a domain."""
        settings = self._settings
        environment = {
            "EXCHANGE_BUCKET": self._exchange.name,
            "LIST_USERS_RPS": f"{settings.list_users_rps:g}",
        }
        if settings.user_pool_id:
            environment["COGNITO_USER_POOL_ID"] = settings.user_pool_id
        list_cognito_users = PythonFunction(
            self,
            "ListCognitoUsers",
            package="list_cognito_users",
            description="Writes email and sub of every user in staging's pool to S3",
            layer=self._layer,
            environment=environment,
            network=None,
            retain_logs=settings.retain_data,
        )
        self._exchange.let_upload(list_cognito_users.role, "cognito-users/*")
        # How far an earlier invocation came.
        self._exchange.let_read(list_cognito_users.role, "cognito-users/manifest.json")
        if settings.user_pool_id:
            self._let_list_users(list_cognito_users.role, settings.user_pool_id)
        return list_cognito_users

    def _create_update_db(self, network: Network | None) -> PythonFunction:
        settings = self._settings
        update_db = PythonFunction(
            self,
            "UpdateDb",
            package="update_db",
            description="Sets users' subs in staging to those of its pool, matched by email",
            layer=self._layer,
            environment={
                "STAGING_SECRET_ARN": settings.staging_secret_arn,
                "EXCHANGE_BUCKET": self._exchange.name,
                "USERS_TABLE": settings.users_table,
                "EMAIL_COLUMN": settings.email_column,
                "SUB_COLUMN": settings.sub_column,
                "REQUIRE_VERIFIED_EMAIL": json.dumps(settings.require_verified_email),
            },
            network=network,
            retain_logs=settings.retain_data,
        )
        _let_read_secrets(update_db.role, settings.staging_secret_arn)
        self._exchange.let_read(update_db.role, "cognito-users/*")
        self._exchange.let_upload(update_db.role, "cognito-mapping.csv.gz")
        return update_db

    def _let_list_users(self, role: aws_iam.Role, user_pool_id: str) -> None:
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


def _let_read_secrets(role: aws_iam.Role, *arns: str) -> None:
    role.add_to_policy(
        aws_iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=list(arns))
    )
