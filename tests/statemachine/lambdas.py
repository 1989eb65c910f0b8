"""Lambdas in this process, called through the Lambda service's API shapes."""

import io
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.event import parse_event
from tests.support.lambda_context import REQUEST_ID, FakeContext

type Handler = Callable[[dict[str, Any], LambdaContext], Any]


class NamedError(Exception):
    """An error that the Lambda service or runtime reports, by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was reported")
        self.name = name


@dataclass(slots=True)
class Lambdas:
    """A Lambda client that calls a function of this process, and records each call."""

    functions: dict[str, Handler]
    make_context: Callable[[], LambdaContext] = FakeContext
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # boto3's names
        """Answer like the Lambda API: a handler's exception becomes a JSON document."""
        name = FunctionName.rpartition(":")[2]
        event = json.loads(Payload)
        self.calls.append((name, event))
        answer: dict[str, Any] = {"StatusCode": 200}
        try:
            document = self.functions[name](event, self.make_context())
        except Exception as error:  # noqa: BLE001  # the Lambda runtime reports any exception
            answer["FunctionError"] = "Unhandled"
            document = _error_document(error)
        return {**answer, "Payload": io.BytesIO(json.dumps(document).encode())}

    @property
    def called(self) -> list[str]:
        """The names of the invoked functions, in order."""
        return [name for name, _ in self.calls]


def _error_document(error: Exception) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": error.name if isinstance(error, NamedError) else type(error).__name__,
        "requestId": REQUEST_ID,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


# What each Lambda returns, in the shape of the contract.
RESULTS: dict[str, dict[str, Any]] = {
    "db_sync": {
        "status": "synced",
        "tables": 42,
        "tables_changed": 3,
        "rows_inserted": 120,
        "rows_updated": 400,
        "rows_deleted": 80,
        "verified": True,
        "atomic": True,
        "duration_seconds": 12.3,
        "warnings": [],
        "report": "s3://exchange/executions/run/db-sync.json",
    },
    "list_cognito_users": {
        "bucket": "exchange",
        "manifest": "executions/run/cognito-users/manifest.json",
        "users": 51,
        "pages": 1,
        "done": True,
    },
    "update_db": {
        "updated": 7,
        "unchanged": 12,
        "skipped_no_cognito_user": 30,
        "skipped_no_db_user": 2,
        "skipped_ambiguous": 0,
        "unlinked": 0,
        "mismatched": 0,
        "unverified_email": 1,
        "followers": {"public.orders.sub": 3},
        "warnings": [],
        "report": "s3://exchange/executions/run/cognito-mapping.csv.gz",
    },
}


def succeeding(name: str) -> Handler:
    """Return a handler that checks its event like the real one, and succeeds."""

    def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
        parse_event(event)
        return RESULTS[name]

    return handler


def failing(name: str, error: Exception, times: int) -> Handler:
    """Return a handler that raises an error so many times, and then succeeds."""
    errors = iter([error] * times)

    def handler(event: dict[str, Any], context: LambdaContext) -> Any:
        for each in errors:
            raise each
        return succeeding(name)(event, context)

    return handler
