"""The state machine: the definition of statemachine/ with our functions put in."""

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
            lambdas: what its Tasks invoke.
            settings: what becomes of its log.
            key: a customer key for the log and the executions' history.
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
            state_machine_name=name,  # the ARN is then known beforehand
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            definition_body=stepfunctions.DefinitionBody.from_file(str(DEFINITION)),
            definition_substitutions=functions,
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=self.log_group,
                level=stepfunctions.LogLevel.ALL,
                # Counts, durations and S3 addresses: the state never holds personal data.
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
                reason="X-Ray's actions and those that deliver logs know no resources.",
            )
        )

    def _create_log_group(
        self, name: str, settings: Settings, key: aws_kms.IKey | None
    ) -> aws_logs.LogGroup:
        """Create a log group whose name Step Functions may write to by one rule for all.

        Under any other name each state machine adds itself to the account's CloudWatch Logs
        resource policy, which is full after some ten of them. The stack's id makes the name
        new each time, since a retained group still holds the old one.
        """
        stack_uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        full_name = f"/aws/vendedlogs/states/{name}-{stack_uuid}"
        return create_log_group(self, settings=settings, key=key, name=full_name)
