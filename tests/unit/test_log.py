"""What a Lambda's process writes without our logger becomes a log line too, and quotes nothing."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

ROW = "jane@example.com"
PROGRAM = f"""
import logging, sys, threading, warnings
from common.entry import entry_point
from common.log import logger
from tests.support.lambda_context import FakeContext

class Lost:
    def __del__(self):
        raise ValueError("{ROW}")

def fail():
    raise ValueError("{ROW}")

def log_failure():
    try:
        fail()
    except ValueError:
        logging.getLogger("library").exception("the library failed")

def start_thread():
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

@entry_point
def handler(event, context):
    {{}}
    return {{{{}}}}

handler({{{{"execution": "run-1", "input": {{{{}}}}}}}}, FakeContext())
"""


def written_by(statement: str) -> list[dict[str, Any]]:
    """Return the lines that a Lambda's process writes after its first when it runs a statement."""
    done = subprocess.run(  # noqa: S603 - the program stands above
        [sys.executable, "-c", PROGRAM.format(statement)],
        env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "staging"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
    first, *others = [json.loads(line) for line in done.stderr.splitlines()]
    assert (first["message"], first["execution"]) == ("started", "run-1")
    return others


@pytest.mark.parametrize(
    ("statement", "message", "error"),
    [
        ('logging.getLogger("urllib3").warning("The pool is full")', "The pool is full", None),
        ('warnings.warn("This goes away")', "This goes away", None),
        ("log_failure()", "the library failed", "ValueError"),
        ("start_thread()", "an exception was lost", "ValueError"),
        ("Lost()", "an exception was lost", "ValueError"),
    ],
    ids=["library", "warning", "library's exception", "thread", "destructor"],
)
def test_whatever_a_process_writes_is_a_line_that_names_the_execution_and_quotes_nothing(
    statement: str, message: str, error: str | None
) -> None:
    (line,) = written_by(statement)

    assert message in line["message"]
    assert (line["execution"], line.get("error")) == ("run-1", error)
    assert ROW not in json.dumps(line)


def test_the_logger_s_own_lines_are_written_once() -> None:
    (line,) = written_by('logger.warning("sync needs a look", warning="this")')

    assert (line["message"], line["execution"]) == ("sync needs a look", "run-1")
