"""Notifications of executions that do not succeed, or do not start."""

from aws_cdk import (
    Annotations,
    Aws,
    Duration,
    aws_cloudwatch,
    aws_cloudwatch_actions,
    aws_iam,
    aws_kms,
    aws_lambda,
    aws_s3,
    aws_sns,
    aws_sns_subscriptions,
    aws_sqs,
)
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.monitoring.failures import Failures
from cdk.settings.model import Settings
from cdk.settings.values import MOST_ALARM_HOURS

HOUR = Duration.hours(1)
UNMONITORED = (
    "No alarm is raised if the schedule starts nothing: set alarm_no_start_hours (50 if nightly)."
)


class Alarms(Construct):
    """Topics, rules that publish how an execution failed, and alarms on metrics."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        state_machine: stepfunctions.StateMachine,
        write_report: aws_lambda.Function,
        bucket: aws_s3.IBucket,
        dead_letter_queue: aws_sqs.IQueue | None,
        settings: Settings,
        key: aws_kms.IKey | None,
    ) -> None:
        """Create what notifies; the settings name an address or a topic.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the workflow's, for descriptions.
            state_machine: its executions are monitored.
            write_report: the function that writes the executions' pages.
            bucket: where these are.
            dead_letter_queue: that of the schedule's failed starts.
            settings: who is notified, and how often the schedule starts an execution.
            key: a customer managed key for the topic. AWS's own key for SNS does not let
                EventBridge and CloudWatch publish, so that without one the topic is not encrypted.
        """
        super().__init__(scope, id_)
        self._name = name
        topic = self._find_topic(settings, key)
        chat_topic = (
            aws_sns.Topic.from_topic_arn(self, "ChatTopic", settings.chat_topic_arn)
            if settings.chat_topic_arn
            else None
        )
        self._topics = [each for each in (topic, chat_topic) if each]
        Failures(
            self,
            "Failures",
            name=name,
            state_machine=state_machine,
            topic=topic,
            chat_topic=chat_topic,
            partition=settings.partition,
            bucket=bucket,
        )
        self._monitor_failures(state_machine)
        self._monitor_pages(write_report)
        if hours := no_start_hours(settings):
            self._monitor_starts(state_machine, hours)
        elif settings.schedule_expression:
            Annotations.of(self).add_info(UNMONITORED)
        if dead_letter_queue:
            self._monitor_dead_letters(dead_letter_queue)

    def _find_topic(self, settings: Settings, key: aws_kms.IKey | None) -> aws_sns.ITopic | None:
        """Return a new topic, or the configured one, whose owner must allow us to publish.

        None if only a chat is notified.
        """
        if not (settings.alarm_email or settings.alarm_topic_arn):
            return None
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

    def _monitor_failures(self, state_machine: stepfunctions.StateMachine) -> None:
        """Raise an alarm when the metrics count a failure.

        Events are delivered on a best-effort basis:
        https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
        """
        period = Duration.minutes(5)
        counted = {
            "Failed": state_machine.metric_failed(period=period, statistic="Sum"),
            "TimedOut": state_machine.metric_timed_out(period=period, statistic="Sum"),
            "Aborted": state_machine.metric_aborted(period=period, statistic="Sum"),
        }
        for id_, metric in counted.items():
            self._create_alarm(
                id_,
                f"An execution of {self._name} did not succeed: {id_}. A second"
                " message names it, but may be lost; the console shows the last executions. See"
                " docs/operations.md.",
                metric,
                comparison=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                periods=1,
                missing=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
                notifies_of_end=False,  # it ends after five minutes, whatever happened since
            )

    def _monitor_starts(self, state_machine: stepfunctions.StateMachine, hours: int) -> None:
        """Raise an alarm if nothing was started for so many hours."""
        self._create_alarm(
            "NoStart",
            f"{self._name} has not started an execution for {hours} hours: its"
            " schedule is off, or cannot start it. See 'The schedule did not run' in"
            " docs/operations.md. It is raised after the first deployment too, until the first"
            " start.",
            state_machine.metric_started(period=HOUR, statistic="Sum"),
            comparison=aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            periods=hours,
            missing=aws_cloudwatch.TreatMissingData.BREACHING,
        )

    def _monitor_pages(self, write_report: aws_lambda.Function) -> None:
        """Raise an alarm when a page was not written, so that nobody takes an old one for it."""
        self._create_alarm(
            "NoReport",
            f"The report of an execution of {self._name} was not written. See 'There is no report'"
            " in docs/operations.md.",
            write_report.metric_errors(period=Duration.minutes(5), statistic="Sum"),
            comparison=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            periods=1,
            missing=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
            notifies_of_end=False,  # as those above
        )

    def _monitor_dead_letters(self, queue: aws_sqs.IQueue) -> None:
        self._create_alarm(
            "DeadLetters",
            f"{self._name}'s schedule could not start an execution; the message in"
            " its dead-letter queue says why. See 'The schedule did not run' in"
            " docs/operations.md.",
            queue.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5), statistic="Maximum"
            ),
            comparison=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            periods=1,
            missing=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _create_alarm(  # noqa: PLR0913 - an alarm's properties
        self,
        id_: str,
        description: str,
        metric: aws_cloudwatch.Metric,
        *,
        comparison: aws_cloudwatch.ComparisonOperator,
        periods: int,
        missing: aws_cloudwatch.TreatMissingData,
        notifies_of_end: bool = True,
    ) -> None:
        """Notify the topics when a metric is on the wrong side of 1, and when it is back."""
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
        for topic in self._topics:
            action = aws_cloudwatch_actions.SnsAction(topic)
            alarm.add_alarm_action(action)
            if notifies_of_end:
                alarm.add_ok_action(action)


def no_start_hours(settings: Settings) -> int | None:
    """Return the hours after which NoStart is raised: as set, or for a rate; None for never."""
    if settings.alarm_no_start_hours:
        return settings.alarm_no_start_hours
    gap = settings.longest_schedule_gap
    return gap if gap is not None and gap <= MOST_ALARM_HOURS else None
