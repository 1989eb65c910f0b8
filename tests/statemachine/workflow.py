"""Starts the state machine with an input and follows it to its end."""

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from moto.stepfunctions.parser.utils import TMP_THREADS

from statemachine.board import DEFINITION
from tests.support.bucket import REGION

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

FUNCTIONS = {
    "DbSyncFunctionArn": "db_sync",
    "ListCognitoUsersFunctionArn": "list_cognito_users",
    "UpdateDbFunctionArn": "update_db",
}
DEADLINE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended, and its history."""

    name: str
    status: str
    output: Any
    error: str | None
    cause: str | None
    history: "list[HistoryEventTypeDef]"

    @property
    def sentence(self) -> str:
        """The message of the error that a Lambda raised."""
        message: str = json.loads(self.cause or "{}")["errorMessage"]
        return message

    def entered(self) -> list[str]:
        """Return the states that were entered, in order."""
        details = [event.get("stateEnteredEventDetails") for event in self.history]
        return [each["name"] for each in details if each]

    def exits(self) -> dict[str, Any]:
        """Return what each state passed on."""
        details = [event.get("stateExitedEventDetails") for event in self.history]
        return {each["name"]: json.loads(each.get("output", "null")) for each in details if each}


@dataclass(frozen=True, slots=True)
class Workflow:
    """The deployed state machine."""

    client: "SFNClient"
    arn: str

    @classmethod
    def deploy(cls) -> "Workflow":
        """Create the state machine from the real definition, with the Lambdas' ARNs filled in."""
        definition = DEFINITION.read_text()
        for placeholder, function in FUNCTIONS.items():
            arn = f"arn:aws:lambda:{REGION}:123456789012:function:{function}"
            definition = definition.replace(f"${{{placeholder}}}", arn)
        # moto's grammar takes no whole number here.
        definition = definition.replace('Percentage": 100,', 'Percentage": 100.0,')
        client = boto3.client("stepfunctions", region_name=REGION)
        machine = client.create_state_machine(
            name="staging-sync",
            definition=definition,
            roleArn="arn:aws:iam::123456789012:role/staging-sync",
        )
        return cls(client, machine["stateMachineArn"])

    def run(self, document: object) -> Outcome:
        """Run an execution with a JSON document as its input, to its end."""
        name = f"run-{uuid.uuid4()}"
        before = len(TMP_THREADS)  # the next one is the execution's
        execution = self.client.start_execution(
            stateMachineArn=self.arn, name=name, input=json.dumps(document)
        )["executionArn"]
        TMP_THREADS[before].join(DEADLINE)
        end = self.client.describe_execution(executionArn=execution)
        if end["status"] == "RUNNING":
            raise TimeoutError(f"the execution still runs after {DEADLINE} s")
        return Outcome(
            name,
            end["status"],
            json.loads(end["output"]) if "output" in end else None,
            end.get("error"),
            end.get("cause"),
            self.client.get_execution_history(executionArn=execution)["events"],
        )
