"""What surrounds every handler: the event is checked, the execution named, errors logged."""

import functools
import os
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.errors import StagingSyncError
from common.event import Event, parse_event
from common.log import logger, take_over_other_writers

# The runtime has set up its own by now, and these lines would name no execution.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    take_over_other_writers()

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def entry_point(run: Callable[[Event, LambdaContext], dict[str, Any]]) -> Handler:
    """Turn a function of a checked event into a Lambda handler.

    The handler raises what `run` raises if it is a `StagingSyncError`. Any other exception
    is a defect of ours and may carry row contents in its message, so it leaves as a
    `StagingSyncError` that names only its type, with the stack trace of the other. What an
    error came from is cut off: a driver's error quotes a row, and who prints it prints that too.
    """

    @functools.wraps(run)
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            if isinstance(event, dict):  # named before the check, which may refuse it
                logger.append_keys(execution=event.get("execution"))
            # Joins the request's id, which is all that the platform's lines carry (of a Lambda
            # that ran out of time, say), with the execution.
            logger.info("started")
            return run(parse_event(event), context)
        except StagingSyncError as error:
            logger.error("failed", error=type(error).__name__, cause=str(error))
            raise error from None
        except Exception as error:  # noqa: BLE001  # it leaves as another one
            logger.error("failed unexpectedly", error=type(error).__name__)
            defect = StagingSyncError(
                f"Unexpected {type(error).__name__}: a defect of staging-sync. The stack trace of"
                " this execution says where; please report it."
            )
            raise defect.with_traceback(error.__traceback__) from None

    return handler
