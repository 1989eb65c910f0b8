"""The pages about executions, which are written soon after these have ended."""

import time

from sandbox.account import StagingAccount
from sandbox.processes import SandboxError
from write_report.history import FOLDER, PAGE

TIMEOUT = 30.0  # seconds; it takes about one
POLL = 0.1  # seconds


def wait_for_page(account: StagingAccount, execution: str, timeout: float = TIMEOUT) -> str:
    """Return the page of an execution, by its name, as soon as it is there.

    Raises:
        SandboxError: it is not there after so many seconds.
    """
    client, key = account.clients.s3, f"{FOLDER}{execution}/{PAGE}"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            return client.get_object(Bucket=account.bucket, Key=key)["Body"].read().decode()
        except client.exceptions.NoSuchKey:
            time.sleep(POLL)
    raise SandboxError(f"There is no report of the execution {execution} after {timeout:.0f} s.")
