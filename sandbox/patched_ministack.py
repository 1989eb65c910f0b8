"""ministack with some parts replaced; run by .venv-aws's interpreter.

It gives a Lambda's errors the names that AWS gives them. ministack calls every exception of a
handler a Runtime.HandlerError; AWS uses the exception's class (Lambda developer guide, "Python
function errors"), and our state machine's Retry fields rely on that. So ministack's worker process
also reports the class, and two of its functions are wrapped to return it to the caller.
"""

import asyncio.constants
import threading
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # it is installed in .venv-aws only
from ministack.core import lambda_runtime  # type: ignore[import-not-found]
from ministack.services import lambda_svc  # type: ignore[import-not-found]

# How the worker process's script reports an exception of the handler.
REPORT = '"error": str(e), "trace": traceback.format_exc()'
_answers = threading.local()  # the thread that serves an invocation calls the worker


def main() -> None:
    """Run ministack as its own command does."""
    name_errors()
    # It would also listen on port 443, if that is free, for Cognito's issuer URL.
    app._port_is_bindable = lambda *_: False
    # Otherwise it waits half a minute for clients to close their connections.
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = 0.1
    app.main()


def name_errors() -> None:
    """Make a Lambda's error type the class of the exception that its handler raised."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(REPORT) != 1:
        raise SystemExit(f"This version of ministack does not report exceptions by {REPORT}.")
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
