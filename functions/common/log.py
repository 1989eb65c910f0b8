"""The one logger: JSON lines with a constant message and the data in fields.

It writes to standard error: CloudWatch takes both streams, and the command's standard
output is for its result alone. Tracebacks are not logged, since a driver's message can
quote a row; our own messages, counts and names never do.
"""

import logging
import os
import sys
import threading
from typing import Any

from aws_lambda_powertools import Logger

# In a Lambda the stack's name, which tells the environments of one account apart.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "staging-sync")

logger = Logger(service=SERVICE, stream=sys.stderr)


def take_over_other_writers() -> None:
    """Log what libraries, warnings and threads of the process write in lines of the same form.

    Each line then has the execution's name, as the logger's own lines do, and of an exception
    only the type.
    """
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(logger.registered_formatter)
    others.addFilter(_is_not_ours)
    others.addFilter(_name_exception)
    logging.root.handlers[:] = [others]
    # With JSON logs the Lambda runtime lets every level through.
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_lost_exception
    sys.unraisablehook = _log_lost_exception


def _is_not_ours(record: logging.LogRecord) -> bool:
    """Return whether a record is not from our logger, which has its own handler."""
    return record.name != SERVICE


def _name_exception(record: logging.LogRecord) -> bool:
    """Keep only the type of a record's exception: its message may quote a row."""
    if record.exc_info and record.exc_info[0]:
        record.error = record.exc_info[0].__name__
    record.exc_info = record.exc_text = None
    return True


def _log_lost_exception(lost: Any) -> None:
    """Log an exception that nobody can catch: a thread's, or a destructor's."""
    logger.error("an exception was lost", error=lost.exc_type.__name__)
