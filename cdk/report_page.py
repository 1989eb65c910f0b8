"""What has the page of each execution written: a rule on how executions end."""

from aws_cdk import Duration, aws_events, aws_events_targets, aws_lambda
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

FINAL = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
# A page that is hours late helps nobody; the execution's files stay for the next attempt.
RETRIED_FOR = Duration.hours(2)


class ReportPage(Construct):
    """An EventBridge rule that invokes WriteReport when an execution has ended.

    It is no state of the workflow: a Catch around the others would spoil a redrive, which goes on
    from the state that failed, and an execution that is stopped runs no further state.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        state_machine: stepfunctions.IStateMachine,
        function: aws_lambda.Function,
    ) -> None:
        """Create the rule.

        Args:
            scope: the parent.
            id_: the construct's id.
            state_machine: whose executions it is about; those of a sync's parts have another ARN.
            function: WriteReport.
        """
        super().__init__(scope, id_)
        aws_events.Rule(
            self,
            "Rule",
            description="An execution of staging-sync has ended: its page is written",
            event_pattern=aws_events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [state_machine.state_machine_arn], "status": FINAL},
            ),
            targets=[aws_events_targets.LambdaFunction(function, max_event_age=RETRIED_FOR)],
        )
