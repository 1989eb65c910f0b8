"""A limit to the process's memory, so that a sync that needs more fails with a reason.

Linux kills a process that uses more memory than Lambda grants, without a message. Under a limit of
our own the allocation fails instead.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

MEBIBYTE = 2**20
# Programs and libraries that are mapped from files; RLIMIT_DATA does not count them.
PROGRAMS = 24 * MEBIBYTE


def granted() -> int | None:
    """Return how much memory Lambda grants, in bytes; None outside of Lambda."""
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return int(megabytes) * MEBIBYTE if megabytes else None


@contextmanager
def within(total: int | None) -> Iterator[None]:
    """Limit the process to `total` bytes for a with statement: an allocation beyond that fails.

    None means no limit. https://man7.org/linux/man-pages/man2/getrlimit.2.html
    """
    if total is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (total - PROGRAMS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
