"""The schedule that starts the workflow, if one is configured."""

from aws_cdk import (
    Acknowledgment,
    Duration,
    Stack,
    TimeZone,
    Validations,
    aws_iam,
    aws_scheduler,
    aws_scheduler_targets,
    aws_sqs,
)
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.settings.model import Settings


class Schedule(Construct):
    """A schedule of EventBridge Scheduler, whose role may start this state machine only."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        state_machine: stepfunctions.IStateMachine,
        expression: str,
        settings: Settings,
    ) -> None:
        """Create the schedule, and the dead-letter queue for starts that failed.

        Args:
            scope: the parent.
            id_: the construct's id.
            state_machine: what it starts.
            expression: rate(…), cron(…) or at(…).
            settings: time zone, input, window, and what follows a failed start. The input is
                always sent: without one Scheduler sends a notification of its own, which the
                workflow rejects.
        """
        super().__init__(scope, id_)
        self.dead_letter_queue = (
            self._create_queue() if settings.schedule_dead_letter_queue else None
        )
        window = settings.schedule_window_minutes
        aws_scheduler.Schedule(
            self,
            "Schedule",
            description="Starts staging-sync",
            schedule=aws_scheduler.ScheduleExpression.expression(
                expression, TimeZone.of(settings.schedule_timezone)
            ),
            time_window=(
                aws_scheduler.TimeWindow.flexible(Duration.minutes(window)) if window else None
            ),
            target=aws_scheduler_targets.StepFunctionsStartExecution(
                state_machine,
                role=self._create_role(),
                input=aws_scheduler.ScheduleTargetInput.from_object(settings.schedule_input),
                max_event_age=Duration.minutes(settings.schedule_retry_minutes),
                retry_attempts=settings.schedule_retry_attempts,
                dead_letter_queue=self.dead_letter_queue,
            ),
        )

    def _create_role(self) -> aws_iam.Role:
        """Create the role here: CDK's own would be outside, without our tags and our boundary.

        Scheduler assumes it for schedules of this account only (EventBridge Scheduler user guide,
        "Confused deputy prevention").
        """
        stack = Stack.of(self)
        group = stack.format_arn(
            service="scheduler", resource="schedule-group", resource_name="default"
        )
        return aws_iam.Role(
            self,
            "Role",
            assumed_by=aws_iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}
                },
            ),
        )

    def _create_queue(self) -> aws_sqs.Queue:
        queue = aws_sqs.Queue(
            self,
            "DeadLetters",
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),  # the maximum
        )
        Validations.of(queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="It is a schedule's dead-letter queue: cdk-nag does not check schedules.",
            )
        )
        return queue
