"""What is published about an execution that failed, timed out or was stopped.

There are two formats, one for programs and mail, one for chat: Amazon Q Developer in chat
applications shows only messages of its own schema, and silently drops all others
(https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html).

A cause may contain quotes. EventBridge escapes them if a variable is a complete JSON value, but not
within a string: there only names are used, which have no quotes.
"""

from collections.abc import Sequence

from aws_cdk import Aws, aws_events, aws_events_targets, aws_s3, aws_sns
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from cdk.settings.arns import console_of_executions, console_of_file
from write_report.history import FOLDER, PAGE

# Only a failed execution has an error.
WITH_AN_ERROR, WITHOUT = ["FAILED"], ["TIMED_OUT", "ABORTED"]
UNSUCCESSFUL = [*WITH_AN_ERROR, *WITHOUT]
RUNBOOK = "docs/operations.md of staging-sync has a section for each error"
NAME, STATUS, ERROR, CAUSE, ARN = (
    aws_events.EventField.from_path(f"$.detail.{field}")
    for field in ("name", "status", "error", "cause", "executionArn")
)


class Failures(Construct):
    """Rules that publish how executions ended, to one topic for programs and mail, one for chat."""

    def __init__(  # noqa: PLR0913 - a construct's properties, all of them by keyword
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        state_machine: stepfunctions.IStateMachine,
        topic: aws_sns.ITopic | None,
        chat_topic: aws_sns.ITopic | None,
        partition: str,
        bucket: aws_s3.IBucket,
    ) -> None:
        """Create the rules.

        Args:
            scope: the parent.
            id_: the construct's id.
            name: the workflow's, for the messages.
            state_machine: its executions are monitored.
            topic: gets a JSON object; its owner must allow EventBridge to publish.
            chat_topic: gets what Amazon Q Developer shows; the same applies to its owner.
            partition: the stack's, which the console's address depends on.
            bucket: where the executions' pages are.
        """
        super().__init__(scope, id_)
        self._state_machine = state_machine
        self._name = name
        self._link = f"{console_of_executions(Aws.REGION, partition)}{ARN}"
        page = f"{FOLDER}{NAME}/{PAGE}"
        self._page = console_of_file(Aws.REGION, partition, bucket.bucket_name, page)
        if topic:
            self._publish("Rule", UNSUCCESSFUL, topic, self._message())
        if chat_topic:
            failed = f"{self._name} failed: {ERROR}"
            ended = f"{self._name}: an execution is {STATUS}"
            self._publish("Chat", WITH_AN_ERROR, chat_topic, self._chat_message(failed))
            self._publish("ChatWithoutError", WITHOUT, chat_topic, self._chat_message(ended))

    def _publish(
        self,
        id_: str,
        statuses: Sequence[str],
        topic: aws_sns.ITopic,
        message: aws_events.RuleTargetInput,
    ) -> None:
        aws_events.Rule(
            self,
            id_,
            description="An execution of staging-sync failed, timed out or was stopped",
            event_pattern=aws_events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self._state_machine.state_machine_arn],
                    "status": list(statuses),
                },
            ),
            targets=[aws_events_targets.SnsTopic(topic, message=message)],
        )

    def _message(self) -> aws_events.RuleTargetInput:
        return aws_events.RuleTargetInput.from_object(
            {
                "what": f"{self._name}: execution {NAME} is {STATUS}",
                "error": ERROR,
                "cause": CAUSE,
                "execution": self._link,
                "report": self._page,
                "what_to_do": RUNBOOK,
            }
        )

    def _chat_message(self, title: str) -> aws_events.RuleTargetInput:
        """Return a custom notification, which links to the cause."""
        return aws_events.RuleTargetInput.from_object(
            {
                "version": "1.0",
                "source": "custom",
                "content": {
                    "textType": "client-markdown",
                    "title": title,
                    "description": f"Execution {NAME} is {STATUS}. Its report: {self._page}\nIts"
                    f" cause: {self._link}",
                    "nextSteps": [RUNBOOK],
                },
            }
        )
