"""Ctrl-C while the driver waits for a server, which it would not notice before the answer.

The work runs in a thread that ends with the process: its connections are cut then, and the
server rolls back. Only a commit that has begun is waited for, since nobody could say how it ends.
"""

import threading
from collections.abc import Callable

from db_sync.result import SyncResult
from db_sync.sync import SaveReport


class _Gate:
    """What comes first: the commit, or the interruption."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_committing = False
        self._is_stopped = False

    def commit(self, _result: SyncResult) -> None:
        """Let the commit begin, unless somebody has stopped the run."""
        with self._lock:
            if self._is_stopped:
                raise KeyboardInterrupt
            self._is_committing = True

    def stop(self) -> bool:
        """Return whether the run is stopped, and not past the point of no return."""
        with self._lock:
            self._is_stopped = not self._is_committing
            return self._is_stopped


def interruptible(work: Callable[[SaveReport], SyncResult]) -> SyncResult:
    """Do work that calls its argument before it commits, and return its result.

    Raises:
        KeyboardInterrupt: it was interrupted before that; what it did will not be committed.
        StagingSyncError: as the work itself.
    """
    gate = _Gate()
    results: list[SyncResult] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(gate.commit))
        except BaseException as error:  # noqa: BLE001  # raised in the main thread
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
