"""The schedule that starts the workflow, where one is configured."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, TimeZone, aws_scheduler, aws_scheduler_targets
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct


class Schedule(Construct):
    """An EventBridge Scheduler schedule with a role that may start this state machine only."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        state_machine: stepfunctions.IStateMachine,
        expression: str,
        timezone: str,
        execution_input: Mapping[str, Any],
    ) -> None:
        """Create the schedule.

        Args:
            scope: the parent.
            id_: the construct's id.
            state_machine: what it starts.
            expression: rate(…), cron(…) or at(…).
            timezone: the time zone of cron and at.
            execution_input: each execution's input. Without one Scheduler sends a
                notification of its own, which the workflow rejects.
        """
        super().__init__(scope, id_)
        aws_scheduler.Schedule(
            self,
            "Schedule",
            description="Starts staging-sync",
            schedule=aws_scheduler.ScheduleExpression.expression(expression, TimeZone.of(timezone)),
            target=aws_scheduler_targets.StepFunctionsStartExecution(
                state_machine,
                input=aws_scheduler.ScheduleTargetInput.from_object(dict(execution_input)),
                # By default a start that failed at night is tried again for a whole day, and
                # would lock staging's tables when people work.
                max_event_age=Duration.hours(1),
                retry_attempts=10,
            ),
        )
