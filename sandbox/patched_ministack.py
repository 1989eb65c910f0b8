"""ministack with some parts replaced; run by .venv-aws's interpreter.

It gives a Lambda's errors the names that AWS gives them. ministack calls every exception of a
handler a Runtime.HandlerError; AWS uses the exception's class (Lambda developer guide, "Python
function errors"), and our state machine's Retry fields rely on that. So ministack's worker process
also reports the class, and two of its functions are wrapped to return it to the caller. AWS calls
the end of a Lambda's process Runtime.ExitError.

And it runs our Parallel and our distributed Map as AWS does: a branch that fails, or somebody who
stops the execution, ends the other branches, which ministack lets run on; and no more items run at
once than MaxConcurrencyPath says, which ministack does not read.
"""

import asyncio.constants
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # it is installed in .venv-aws only
from ministack.core import lambda_runtime  # type: ignore[import-not-found]
from ministack.services import (  # type: ignore[import-not-found]
    lambda_svc,
    stepfunctions,
)

# How the worker process's script reports an exception of the handler.
REPORT = '"error": str(e), "trace": traceback.format_exc()'
DIED = "Worker process died"  # its message if the process has ended in a call
NOT_BEGUN = "Worker init failed"  # and if the handler's module could not be imported
NOT_IMPORTED = "Runtime.ImportModuleError"  # AWS's name for that
_answers = threading.local()  # the thread that serves an invocation calls the worker


@dataclass(frozen=True, slots=True)
class _Branches:
    """The branches of a Parallel state, and whether one of them has failed."""

    execution: dict[str, Any]
    machines: frozenset[int]  # the ids of their states
    failed: threading.Event = field(default_factory=threading.Event)

    @property
    def are_stopped(self) -> bool:
        """Whether those that still run are to end."""
        return self.failed.is_set() or self.execution["status"] != "RUNNING"


# Around whatever runs in a thread: ministack passes contexts on to its threads.
_around: ContextVar[tuple[_Branches, ...]] = ContextVar("around", default=())


def main() -> None:
    """Run ministack as its own command does."""
    name_errors()
    stop_branches()
    fail_once()
    limit_items()
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
        try:
            _answers.last = ask(*arguments, **options)
        except Exception as error:  # it ended before it was asked
            has_begun = not str(error).startswith(NOT_BEGUN)
            _answers.last = {"error": DIED} if has_begun else {"error_type": NOT_IMPORTED}
            raise
        return _answers.last

    def execute_and_name(*arguments: Any) -> Any:
        _answers.last = {}
        result = execute(*arguments)
        if name := _answers.last.get("error_type"):
            result["body"]["errorType"] = name
        elif _answers.last.get("error") == DIED:
            result["body"]["errorType"] = "Runtime.ExitError"
        return result

    lambda_runtime.Worker.invoke = ask_and_note
    lambda_svc._execute_function_warm = execute_and_name


def stop_branches() -> None:
    """End a Parallel's branches when one has failed or the execution was stopped.

    A Lambda that runs goes on. Nothing is invoked after it. The execution fails at once, as ours
    does, whose Parallel catches nothing; and one that has ended does not fail once more.
    """
    run_all, run_one = stepfunctions._run_parallel_branches, stepfunctions._run_sub_machine

    def run_branches(state: Any, data: Any, execution: Any, context: Any) -> Any:
        machines = frozenset(id(branch["States"]) for branch in state["Branches"])
        token = _around.set((*_around.get(), _Branches(execution, machines)))
        try:
            return run_all(state, data, execution, context)
        finally:
            _around.reset(token)

    def run_branch(states: Any, start: str, data: Any, execution: Any, context: Any) -> Any:
        try:
            return run_one(states, start, data, execution, context)
        except Exception as error:
            for branches in _around.get():
                if id(states) in branches.machines:
                    branches.failed.set()
                    if isinstance(error, stepfunctions._ExecutionError):
                        stepfunctions._fail_execution(execution, error.error, error.cause)
            raise

    stepfunctions._run_parallel_branches = run_branches
    stepfunctions._run_sub_machine = run_branch
    for name in ("_execute_task", "_scaled_sleep"):  # each attempt of a Task, and between them
        setattr(stepfunctions, name, _unless_stopped(getattr(stepfunctions, name)))


def fail_once() -> None:
    """Leave an execution as it is that was stopped or has failed, when its branches end later."""
    fail = stepfunctions._fail_execution

    def fail_if_running(execution: Any, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    stepfunctions._fail_execution = fail_if_running


def _unless_stopped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that ends its thread where a branch is to end, and does the same else."""

    def call(*arguments: Any) -> Any:
        if any(branches.are_stopped for branches in _around.get()):
            raise SystemExit
        return function(*arguments)

    return call


def limit_items() -> None:
    """Run no more items of a distributed Map at once than its MaxConcurrencyPath says."""
    run_all = stepfunctions._run_distributed_map

    def run_items(state: Any, raw: Any, data: Any, *others: Any) -> Any:
        if path := state.get("MaxConcurrencyPath"):
            state = {**state, "MaxConcurrency": stepfunctions._resolve_path(path, data)}
        return run_all(state, raw, data, *others)

    stepfunctions._run_distributed_map = run_items


if __name__ == "__main__":
    main()
