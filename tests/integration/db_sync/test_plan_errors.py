"""Which of our errors a server's error becomes, by its SQLSTATE and its side."""

from collections.abc import Iterator

import pytest

from common.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    OutOfTime,
    SchemaMismatch,
    StagingSyncError,
    TargetBusy,
)
from common.postgres.database import Session, connect
from tests.support.databases import Databases

type Sessions = dict[str, Session]

# Each state with its error on the source and on the target.
NAMES: dict[str, tuple[type[StagingSyncError], type[StagingSyncError]]] = {
    "22001": (SchemaMismatch, SchemaMismatch),
    "22012": (SchemaMismatch, SchemaMismatch),  # division by zero: of its class
    "23505": (SchemaMismatch, SchemaMismatch),
    "25006": (ConfigurationError, ConfigurationError),
    "40001": (DatabaseUnavailable, DatabaseUnavailable),  # a replica's recovery conflict, or not
    "40P01": (DatabaseUnavailable, TargetBusy),  # a replica's too
    "42501": (ConfigurationError, ConfigurationError),
    "42P01": (SchemaMismatch, SchemaMismatch),
    "53100": (DatabaseUnavailable, DatabaseUnavailable),
    "54000": (SchemaMismatch, SchemaMismatch),
    "55P03": (DatabaseUnavailable, TargetBusy),
    "57014": (OutOfTime, OutOfTime),
    "57P04": (DatabaseUnavailable, DatabaseUnavailable),
    "P0001": (SchemaMismatch, SchemaMismatch),
    "XX000": (StagingSyncError, StagingSyncError),
}


@pytest.fixture
def sessions(databases: Databases) -> Iterator[Sessions]:
    database = databases.make()
    with (
        connect(database.address, "source", execution="test") as source,
        connect(database.address, "target", execution="test") as target,
    ):
        yield {"source": source, "target": target}


@pytest.mark.parametrize("state", NAMES)
def test_an_sqlstate_has_its_error_on_either_side_and_the_servers_message_is_left_out(
    sessions: Sessions, state: str
) -> None:
    raising = (
        f"DO $$ BEGIN RAISE SQLSTATE '{state}' USING MESSAGE = 'secret-word',"
        " DETAIL = 'secret-word', HINT = 'secret-word'; END $$"
    )

    for name, error in zip(("source", "target"), NAMES[state], strict=True):
        with pytest.raises(error) as raised, sessions[name].transaction():
            sessions[name].execute(raising)

        assert type(raised.value) is error
        assert f"SQLSTATE {state}" in str(raised.value)
        assert f"the {name} database" in str(raised.value)
        assert "secret-word" not in str(raised.value)
