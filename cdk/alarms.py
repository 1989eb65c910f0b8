"""Who is told when an execution does not succeed, or does not even begin."""

from aws_cdk import (
    Annotations,
    Aws,
    Duration,
    Stack,
    aws_cloudwatch,
    aws_cloudwatch_actions,
    aws_events,
    aws_events_targets,
    aws_iam,
    aws_kms,
    aws_sns,
    aws_sns_subscriptions,
    aws_sqs,
)
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from config import Settings

UNSUCCESSFUL = ["FAILED", "TIMED_OUT", "ABORTED"]
HOUR = Duration.hours(1)
UNWATCHED = (
    "No alarm rings if the schedule starts nothing: set alarm_no_start_hours, 50 for a nightly one."
)


class Alarms(Construct):
    """A topic, a rule that publishes how an execution failed, and alarms for the schedule."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        state_machine: stepfunctions.StateMachine,
        dead_letter_queue: aws_sqs.IQueue | None,
        settings: Settings,
        key: aws_kms.IKey | None,
    ) -> None:
        """Create what tells; the settings name an address or a topic.

        Args:
            scope: the parent.
            id_: the construct's id.
            state_machine: whose executions are watched.
            dead_letter_queue: takes the schedule's starts that never came about.
            settings: who is told, and how often the schedule starts an execution.
            key: a customer key for the topic. AWS's own for SNS would let neither EventBridge
                nor CloudWatch publish, so that without one the topic is not encrypted.
        """
        super().__init__(scope, id_)
        self._topic = self._find_topic(settings, key)
        self._tell_of_failures(state_machine)
        if hours := settings.no_start_hours:
            self._watch_starts(state_machine, hours)
        elif settings.schedule_expression:
            Annotations.of(self).add_info(UNWATCHED)
        if dead_letter_queue:
            self._watch_dead_letters(dead_letter_queue)

    def _find_topic(self, settings: Settings, key: aws_kms.IKey | None) -> aws_sns.ITopic:
        """Return the configured topic, whose owner lets it be published to, or a new one."""
        if settings.alarm_topic_arn:
            return aws_sns.Topic.from_topic_arn(self, "Topic", settings.alarm_topic_arn)
        topic = aws_sns.Topic(self, "Topic", enforce_ssl=True, master_key=key)
        if settings.alarm_email:
            topic.add_subscription(aws_sns_subscriptions.EmailSubscription(settings.alarm_email))
        topic.add_to_resource_policy(
            aws_iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[aws_iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return topic

    def _tell_of_failures(self, state_machine: stepfunctions.StateMachine) -> None:
        """Publish each execution that did not succeed: a metric's alarm would know none by name."""
        aws_events.Rule(
            self,
            "Failures",
            description="An execution of staging-sync failed, timed out or was stopped",
            event_pattern=aws_events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [state_machine.state_machine_arn],
                    "status": UNSUCCESSFUL,
                },
            ),
            targets=[aws_events_targets.SnsTopic(self._topic, message=self._message())],
        )

    def _message(self) -> aws_events.RuleTargetInput:
        """Return what is published.

        An object, since EventBridge quotes a field that is a value of its own, and would put
        the quotes of a cause into a line of text as they are.
        """
        name, status, error, cause, arn = (
            aws_events.EventField.from_path(f"$.detail.{field}")
            for field in ("name", "status", "error", "cause", "executionArn")
        )
        console = f"https://{Aws.REGION}.console.aws.amazon.com/states/home?region={Aws.REGION}"
        return aws_events.RuleTargetInput.from_object(
            {
                "what": f"{Stack.of(self).stack_name}: execution {name} is {status}",
                "error": error,
                "cause": cause,
                "execution": f"{console}#/v2/executions/details/{arn}",
                "what_to_do": "docs/operations.md of staging-sync has a section for each error",
            }
        )

    def _watch_starts(self, state_machine: stepfunctions.StateMachine, hours: int) -> None:
        """Ring where nothing was started for so many hours."""
        self._ring(
            "NoStart",
            f"{Stack.of(self).stack_name} has not started an execution for {hours} hours: its"
            " schedule is off, or cannot start it. See 'The schedule did not run' in"
            " docs/operations.md. It rings after the first deployment too, until the first start.",
            state_machine.metric_started(period=HOUR, statistic="Sum"),
            comparison=aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            periods=hours,
            missing=aws_cloudwatch.TreatMissingData.BREACHING,
        )

    def _watch_dead_letters(self, queue: aws_sqs.IQueue) -> None:
        self._ring(
            "DeadLetters",
            f"{Stack.of(self).stack_name}'s schedule could not start an execution; the message in"
            " its dead-letter queue says why. See 'The schedule did not run' in"
            " docs/operations.md.",
            queue.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5), statistic="Maximum"
            ),
            comparison=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            periods=1,
            missing=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _ring(  # noqa: PLR0913 - an alarm's properties
        self,
        id_: str,
        description: str,
        metric: aws_cloudwatch.Metric,
        *,
        comparison: aws_cloudwatch.ComparisonOperator,
        periods: int,
        missing: aws_cloudwatch.TreatMissingData,
    ) -> None:
        """Tell the topic where a metric lies on the wrong side of 1, and where it is back."""
        alarm = aws_cloudwatch.Alarm(
            self,
            id_,
            alarm_description=description,
            metric=metric,
            threshold=1,
            comparison_operator=comparison,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        action = aws_cloudwatch_actions.SnsAction(self._topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
