"""What every handler does: check the event, name the execution in the log, log errors."""

import functools
import os
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.errors import StagingSyncError
from common.event import Event, parse_event
from common.log import logger, take_over_other_writers

# The Lambda runtime has set up its own handlers by now, whose lines would not name the execution.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    take_over_other_writers()

type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def entry_point(run: Callable[[Event, LambdaContext], dict[str, Any]]) -> Handler:
    """Turn a function of the state machine's checked event into a Lambda handler; see `logged`."""

    def checked(event: Any, context: LambdaContext) -> dict[str, Any]:
        return run(parse_event(event), context)

    return functools.wraps(run)(logged(checked, lambda event: event.get("execution")))


def logged(
    run: Callable[[Any, LambdaContext], dict[str, Any]],
    execution_of: Callable[[dict[str, Any]], object],
) -> Handler:
    """Turn a function of an event into a Lambda handler, whose lines in the log name the execution.

    A `StagingSyncError` is raised as it is. Any other exception is a defect of ours whose message
    may quote a row: a `StagingSyncError` is raised instead, with its type's name and its stack
    trace. Neither keeps its cause: that may be a driver's error, which quotes a row, and printing
    an exception also prints its cause.

    Args:
        run: takes the event as it came, and checks it.
        execution_of: finds the execution's name in an event that is an object, checked or not.
    """

    @functools.wraps(run)
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            if isinstance(event, dict):  # before the check, whose errors are to name it too
                logger.append_keys(execution=execution_of(event))
            # Connects the request's id with the execution: lines of the platform, such as the one
            # about a timeout, have the id only.
            logger.info("started")
            return run(event, context)
        except StagingSyncError as error:
            logger.error("failed", error=type(error).__name__, cause=str(error))
            raise error from None
        except Exception as error:  # noqa: BLE001  # raised as a StagingSyncError
            logger.error("failed unexpectedly", error=type(error).__name__)
            defect = StagingSyncError(
                f"Unexpected {type(error).__name__}: a defect of staging-sync. The stack trace of"
                " this execution says where; please report it."
            )
            raise defect.with_traceback(error.__traceback__) from None

    return handler
