"""The process of one invocation: `invoke.py PACKAGE SECONDS`, the event on standard input."""

import importlib
import json
import sys
import time

from tests.support.lambda_context import FakeContext


def main() -> None:
    """Call the handler; print its output and the seconds that it took."""
    package, seconds = sys.argv[1:]
    event = json.load(sys.stdin)
    handler = importlib.import_module(f"{package}.handler").handler
    started = time.monotonic()
    ends = started + float(seconds)
    output = handler(event, FakeContext(lambda: ends - time.monotonic()))
    print(json.dumps({"output": output, "seconds": time.monotonic() - started}))  # noqa: T201


if __name__ == "__main__":
    main()
