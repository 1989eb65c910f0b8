"""The state machine: the definition in statemachine/, with the functions' ARNs put in."""

from typing import cast

from aws_cdk import (
    Acknowledgment,
    ArnFormat,
    Aws,
    CfnElement,
    Fn,
    Stack,
    Token,
    Validations,
    aws_iam,
    aws_kms,
    aws_logs,
)
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.compute.dependencies import ROOT
from cdk.compute.lambdas import Lambdas
from cdk.exchange import ExchangeBucket
from cdk.logs import create_log_group
from cdk.settings.model import Settings

DEFINITION = ROOT / "statemachine" / "staging_sync.asl.json"
LABEL = "SyncParts"  # of the definition's distributed Map; its child executions' ARNs have it
ROUNDS = "parts/round-*.jsonl"  # the lists that it reads


class Workflow(Construct):
    """The state machine, its log group, and a role that may do exactly what its states do."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        lambdas: Lambdas,
        exchange: ExchangeBucket,
        settings: Settings,
        key: aws_kms.IKey | None,
    ) -> None:
        """Create the state machine.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the state machine's.
            lambdas: the functions that its Tasks invoke.
            exchange: the bucket with the lists of a sync in parts.
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
        self.state_machine = self._create_machine(name, functions, key)
        # Not grant_invoke, which allows every version and alias too.
        self.state_machine.add_to_role_policy(
            aws_iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=list(functions.values())
            )
        )
        exchange.grant_read(self.state_machine.role, ROUNDS)
        self._grant_distributed_map(name)
        Validations.of(self.state_machine).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray's actions and those that deliver logs support no resource-level"
                " permissions.",
            )
        )

    def _create_machine(
        self, name: str, functions: dict[str, str], key: aws_kms.IKey | None
    ) -> stepfunctions.StateMachine:
        """Create the machine itself, with the functions' ARNs put into its definition."""
        return stepfunctions.StateMachine(
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

    def _grant_distributed_map(self, name: str) -> None:
        """Allow the machine to start executions of itself, to watch and to stop them.

        A distributed Map runs each item as such an execution (Step Functions developer guide, "IAM
        policies for using Distributed Map states"). The machine is named by its known ARN, since
        it needs its role first.
        """
        # A child execution's ARN has the Map's label after the machine's name.
        own, children = f"{name}:*", f"{name}/{LABEL}:*"
        policy = aws_iam.Policy(
            self,
            "DistributedMap",
            roles=[self.state_machine.role],
            statements=[
                aws_iam.PolicyStatement(
                    actions=["states:StartExecution"],
                    resources=[self._arn("stateMachine", name)],
                ),
                aws_iam.PolicyStatement(
                    actions=["states:DescribeExecution", "states:StopExecution"],
                    resources=[self._arn("execution", own), self._arn("execution", children)],
                ),
                aws_iam.PolicyStatement(
                    actions=["states:RedriveExecution"],
                    resources=[self._arn("execution", children)],
                ),
            ],
        )
        # Not the construct: its role is a part of it, which the policy depends on.
        cast(CfnElement, self.state_machine.node.default_child).node.add_dependency(policy)
        for executions in (own, children):
            self._acknowledge_executions(policy, executions)

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(
            service="states",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _acknowledge_executions(self, policy: aws_iam.Policy, executions: str) -> None:
        stack = Stack.of(self)
        # cdk-nag writes what only the deployment knows in angle brackets.
        region = "<AWS::Region>" if Token.is_unresolved(stack.region) else stack.region
        account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
        arn = f"arn:<AWS::Partition>:states:{region}:{account}:execution:{executions}"
        Validations.of(policy).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{arn}]",
                reason="The asterisk stands for the name of an execution of this state machine,"
                " which is not known before it starts.",
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
