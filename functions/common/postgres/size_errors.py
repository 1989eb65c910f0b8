"""Rows and values that are too large: for this process's memory, or for PostgreSQL itself."""

import psycopg2

OUT_OF_MEMORY = (
    "A row is too large for the memory that this process may take. Raise memory_mb"
    " (docs/operations.md says how much a row takes), or exclude the table"
)
TOO_LARGE = (
    "A row or a value is larger than PostgreSQL's limit of 1 GB, in the format in which it is"
    " copied or compared; a bytea counts twice if that is text. Shorten it in the source, or"
    " exclude the table"
)
# The server's message, which elog() never translates; its SQLSTATE is that of all internal errors.
NO_SUCH_ALLOCATION = "invalid memory alloc request size"
# In libpq's, without a SQLSTATE: "cannot allocate memory for input buffer", "out of memory".
MEMORY = "memory"


def is_out_of_memory(error: psycopg2.Error, said: str | None) -> bool:
    """Return whether this process had too little memory for what the server sent.

    Args:
        error: the driver's error, which may have no reason.
        said: libpq's last message on the connection.
    """
    return error.pgcode is None and (MEMORY in str(error) or MEMORY in (said or ""))


def is_too_large(error: psycopg2.Error) -> bool:
    """Return whether the server refused a value for its size."""
    return error.diag.source_function == "enlargeStringInfo" or (
        error.pgcode == "XX000" and str(error.diag.message_primary).startswith(NO_SUCH_ALLOCATION)
    )
