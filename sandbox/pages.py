"""The pages about executions: waited for, and served to a browser."""

import contextlib
import re
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.account import StagingAccount
from sandbox.cloud import HOST
from sandbox.processes import SandboxError
from statemachine import page
from statemachine.page import NoPageError
from write_report.history import LATEST

# What a browser may ask for: / is the latest page.
PATHS = re.compile(r"/(latest/report\.html|executions/[^/]+/report\.html)?")
BEFORE_THE_FIRST = (
    "<!doctype html><meta charset=utf-8><title>No report yet</title>"
    "<p>No execution has ended yet. Start one, and reload this page."
)


def wait_for_page(account: StagingAccount, execution: str, timeout: float = page.TIMEOUT) -> str:
    """Return the page of an execution, by its name, as soon as it is there.

    Raises:
        SandboxError: it is not there after so many seconds.
    """
    try:
        return page.wait_for_page(account.clients.s3, account.bucket, execution, timeout=timeout)
    except NoPageError as error:
        raise SandboxError(f"There is no report of {execution}: {error}") from error


@contextlib.contextmanager
def serving(account: StagingAccount) -> Iterator[str]:
    """Serve the pages to a browser for the length of a with statement; yield the address.

    The local S3 wants signed requests, and has a certificate that no browser knows.
    """

    class Handler(_Pages):
        served = account

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Pages(BaseHTTPRequestHandler):
    """Answers with pages of an account's bucket, and with nothing else of it."""

    served: StagingAccount

    def do_HEAD(self) -> None:
        """Answer as to a GET, without the page."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer with a page."""
        path = self.path.partition("?")[0]
        found = self._read(path.lstrip("/") or LATEST) if PATHS.fullmatch(path) else None
        if found is not None:
            self._answer(HTTPStatus.OK, found)
        elif path == "/":
            self._answer(HTTPStatus.OK, BEFORE_THE_FIRST.encode())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Print nothing: the terminal has what to paste."""

    def _read(self, key: str) -> bytes | None:
        client = self.served.clients.s3
        try:
            return client.get_object(Bucket=self.served.bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError):  # it is not there, or the sandbox ends
            return None

    def _answer(self, status: HTTPStatus, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
