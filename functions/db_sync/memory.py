"""Memory that Lambda does not grant is refused, so that a sync fails with a reason.

Linux kills a process that takes more than there is; nobody is told why then. A limit of our own
lets the allocation fail that would be too much.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

MEBIBYTE = 2**20
# What the limit does not count: programs and libraries that are mapped from files.
PROGRAMS = 24 * MEBIBYTE


def granted() -> int | None:
    """Return how much memory Lambda grants, in bytes; None elsewhere."""
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return int(megabytes) * MEBIBYTE if megabytes else None


@contextmanager
def within(total: int | None) -> Iterator[None]:
    """Let allocations fail, for a with statement, that would take the process beyond `total` bytes.

    None: no limit. https://man7.org/linux/man-pages/man2/getrlimit.2.html
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
