"""The state machine: the definition in statemachine/, with the functions' ARNs put in."""

from aws_cdk import Acknowledgment, Aws, Fn, Validations, aws_iam, aws_kms, aws_logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.compute.dependencies import ROOT
from cdk.compute.lambdas import Lambdas
from cdk.logs import create_log_group
from cdk.settings.model import Settings

DEFINITION = ROOT / "statemachine" / "staging_sync.asl.json"


class Workflow(Construct):
    """The state machine, its log group, and a role that may invoke exactly its functions."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        lambdas: Lambdas,
        settings: Settings,
        key: aws_kms.IKey | None,
    ) -> None:
        """Create the state machine.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the state machine's.
            lambdas: the functions that its Tasks invoke.
            settings: how long its log is kept.
            key: a customer managed key for the log and the executions' history.
        """
        super().__init__(scope, id_)
        functions = {
            "DbSyncFunctionArn": lambdas.db_sync.function.function_arn,
            "ListCognitoUsersFunctionArn": lambdas.list_cognito_users.function.function_arn,
            "UpdateDbFunctionArn": lambdas.update_db.function.function_arn,
        }
        self.log_group = self._create_log_group(name, settings, key)
        self.state_machine = stepfunctions.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,  # so that the ARN is known before the deployment
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            definition_body=stepfunctions.DefinitionBody.from_file(str(DEFINITION)),
            definition_substitutions=functions,
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=self.log_group,
                level=stepfunctions.LogLevel.ALL,
                # Counts, durations and S3 URIs: the state never contains personal data.
                include_execution_data=True,
            ),
            encryption_configuration=(
                stepfunctions.CustomerManagedEncryptionConfiguration(key) if key else None
            ),
        )
        # Not grant_invoke, which allows every version and alias too.
        self.state_machine.add_to_role_policy(
            aws_iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=list(functions.values())
            )
        )
        Validations.of(self.state_machine).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray's actions and those that deliver logs support no resource-level"
                " permissions.",
            )
        )

    def _create_log_group(
        self, name: str, settings: Settings, key: aws_kms.IKey | None
    ) -> aws_logs.LogGroup:
        """Create a log group whose name begins with /aws/vendedlogs/.

        For any other name Step Functions adds a statement to the account's CloudWatch Logs
        resource policy, which has room for about ten. The name contains the stack's id, since a
        log group that an earlier stack left behind still has its name.
        """
        stack_uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        full_name = f"/aws/vendedlogs/states/{name}-{stack_uuid}"
        return create_log_group(self, settings=settings, key=key, name=full_name)
