"""Programs that the sandbox runs, each in its own process group, which ends with it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import signals

STOP_TIMEOUT = 10  # seconds
LOG_LINES = 15  # of a failed program's log, in its error


class SandboxError(Exception):
    """A part of the sandbox could not be started; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, directory, environment and log."""

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    log: Path  # gets its output


def run(*commands: Command) -> None:
    """Run programs side by side until all have ended.

    Raises:
        SandboxError: one of them failed; the message has the end of its log.
    """
    with contextlib.ExitStack() as running:
        processes = [running.enter_context(started(command)) for command in commands]
        for command, process in zip(commands, processes, strict=True):
            if process.wait():
                program = Path(command.arguments[0]).name
                raise SandboxError(f"{program} failed. Its log ends:\n{log_end(command.log)}")


@contextlib.contextmanager
def started(command: Command) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for the length of a with statement; then end it and all that it started.

    Raises:
        SandboxError: it could not be started.
    """
    with contextlib.ExitStack() as ending:
        with signals.held():
            process = _start(command)
            ending.callback(_end, process)
        yield process


def log_end(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def clean_environment(temporary: Path) -> dict[str, str]:
    """Return this process's environment without the variables of Python and AWS.

    ministack passes its environment on to the Lambdas, and no real AWS account may be reached from
    here.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "LAMBDA_", "CDK_")) and name != "VIRTUAL_ENV"
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        # Node.js is in the interpreter's folder.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TMPDIR": str(temporary),
    }


def _start(command: Command) -> subprocess.Popen[bytes]:
    with command.log.open("wb") as log:
        try:
            return subprocess.Popen(  # noqa: S603 - every argument is ours
                command.arguments,
                cwd=command.directory,
                env=command.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C must reach us only: we end it
            )
        except OSError as error:
            raise SandboxError(
                f"{command.arguments[0]} could not be started: {error.strerror}. `make install`"
                " installs it."
            ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its process group."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT)
    # What it started may outlive it. The group's id is not reused while any member lives; if none
    # does, there is nothing to end.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
