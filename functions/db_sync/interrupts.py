"""Ctrl-C ends a run at once, also while the driver waits for a server's answer.

The work runs in a daemon thread, so that it ends with the process: its connections are closed, and
the server rolls back. A commit that has begun is waited for: its result would be unknown otherwise.
"""

import threading
from collections.abc import Callable

type Commits = Callable[[object], None]


class _CommitGate:
    """Decides which comes first, the commit or the interruption."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_committing = False
        self._is_stopped = False

    def commit(self, _result: object) -> None:
        """Note that the commit begins; refuse it if the run was stopped."""
        with self._lock:
            if self._is_stopped:
                raise KeyboardInterrupt
            self._is_committing = True

    def stop(self) -> bool:
        """Stop the run unless its commit has begun; return whether it is stopped."""
        with self._lock:
            self._is_stopped = not self._is_committing
            return self._is_stopped


def interruptible[T](work: Callable[[Commits], T]) -> T:
    """Do work that Ctrl-C may interrupt before its commit, and return its result.

    Args:
        work: must call its argument right before it commits.

    Raises:
        KeyboardInterrupt: it was interrupted before that; nothing is committed.
        StagingSyncError: the work raised it.
    """
    gate = _CommitGate()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(gate.commit))
        except BaseException as error:  # noqa: BLE001  # raised again in the main thread
            errors.append(error)

    thread = threading.Thread(target=run, name="sync", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        if gate.stop():
            raise
        thread.join()
    if errors:
        raise errors[0]
    return results[0]
