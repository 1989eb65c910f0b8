"""Who is told when an execution does not succeed, or does not even begin."""

from aws_cdk import (
    Annotations,
    Aws,
    Duration,
    aws_cloudwatch,
    aws_cloudwatch_actions,
    aws_iam,
    aws_kms,
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
UNWATCHED = (
    "No alarm rings if the schedule starts nothing: set alarm_no_start_hours, 50 for a nightly one."
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
        dead_letter_queue: aws_sqs.IQueue | None,
        settings: Settings,
        key: aws_kms.IKey | None,
    ) -> None:
        """Create what tells; the settings name an address or a topic.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: what the alarms call all of it.
            state_machine: whose executions are watched.
            dead_letter_queue: takes the schedule's starts that never came about.
            settings: who is told, and how often the schedule starts an execution.
            key: a customer key for the topic. AWS's own for SNS would let neither EventBridge
                nor CloudWatch publish, so that without one the topic is not encrypted.
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
        )
        self._watch_failures(state_machine)
        if hours := no_start_hours(settings):
            self._watch_starts(state_machine, hours)
        elif settings.schedule_expression:
            Annotations.of(self).add_info(UNWATCHED)
        if dead_letter_queue:
            self._watch_dead_letters(dead_letter_queue)

    def _find_topic(self, settings: Settings, key: aws_kms.IKey | None) -> aws_sns.ITopic | None:
        """Return the configured topic, whose owner lets it be published to, or a new one.

        None where only a chat is told.
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

    def _watch_failures(self, state_machine: stepfunctions.StateMachine) -> None:
        """Ring where the metrics know of a failure: events are delivered on a best-effort basis.

        https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
        """
        period = Duration.minutes(5)
        counted = {
            "Failed": state_machine.metric_failed(period=period, statistic="Sum"),
            "TimedOut": state_machine.metric_timed_out(period=period, statistic="Sum"),
            "Aborted": state_machine.metric_aborted(period=period, statistic="Sum"),
        }
        for id_, metric in counted.items():
            self._ring(
                id_,
                f"An execution of {self._name} did not succeed: {id_}. A message"
                " that names it comes beside this alarm, and may be lost; the console shows the"
                " last executions. See docs/operations.md.",
                metric,
                comparison=aws_cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                periods=1,
                missing=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
                tells_when_over=False,  # five minutes later it is, whatever happened since
            )

    def _watch_starts(self, state_machine: stepfunctions.StateMachine, hours: int) -> None:
        """Ring where nothing was started for so many hours."""
        self._ring(
            "NoStart",
            f"{self._name} has not started an execution for {hours} hours: its"
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

    def _ring(  # noqa: PLR0913 - an alarm's properties
        self,
        id_: str,
        description: str,
        metric: aws_cloudwatch.Metric,
        *,
        comparison: aws_cloudwatch.ComparisonOperator,
        periods: int,
        missing: aws_cloudwatch.TreatMissingData,
        tells_when_over: bool = True,
    ) -> None:
        """Tell the topics where a metric lies on the wrong side of 1, and where it is back."""
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
            if tells_when_over:
                alarm.add_ok_action(action)


def no_start_hours(settings: Settings) -> int | None:
    """Return the hours that are set, or those of a rate; None where it never rings."""
    if settings.alarm_no_start_hours:
        return settings.alarm_no_start_hours
    gap = settings.longest_schedule_gap
    return gap if gap is not None and gap <= MOST_ALARM_HOURS else None
