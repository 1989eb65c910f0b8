"""ministack, with some of its parts replaced. Run by .venv-aws's interpreter.

A Lambda's errors get the names that AWS gives them. ministack says of every exception of a handler
that it is a Runtime.HandlerError; AWS names its class (Lambda developer guide, "Python function
errors"), and our state machine's Retry fields are written for those. So two of ministack's
functions are wrapped: what its worker process tells of an exception holds the class too, and what
the caller is told is that.
"""

import asyncio.constants
import threading
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # it is installed in .venv-aws only
from ministack.core import lambda_runtime  # type: ignore[import-not-found]
from ministack.services import lambda_svc  # type: ignore[import-not-found]

# In the script of a worker process: what it tells of an exception that the handler raised.
REPORT = '"error": str(e), "trace": traceback.format_exc()'
_answers = threading.local()  # a worker is asked in the thread that serves the invocation


def main() -> None:
    """Run ministack as its own command does."""
    name_errors()
    # It would listen on port 443 too, where that is free, for the sake of Cognito's issuer.
    app._port_is_bindable = lambda *_: False
    # Otherwise it waits half a minute for clients to say good-bye, who keep their connections.
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = 0.1
    app.main()


def name_errors() -> None:
    """Let a Lambda's error type be the class of what its handler raised."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(REPORT) != 1:
        raise SystemExit(f"This version of ministack does not tell of an exception with {REPORT}.")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(
        REPORT, f'{REPORT}, "error_type": type(e).__name__'
    )
    ask, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def ask_and_note(*arguments: Any, **options: Any) -> Any:
        _answers.last = ask(*arguments, **options)
        return _answers.last

    def execute_and_name(*arguments: Any) -> Any:
        _answers.last = {}
        result = execute(*arguments)
        if name := _answers.last.get("error_type"):
            result["body"]["errorType"] = name
        return result

    lambda_runtime.Worker.invoke = ask_and_note
    lambda_svc._execute_function_warm = execute_and_name


if __name__ == "__main__":
    main()
