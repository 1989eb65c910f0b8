"""The warnings and errors about a server without room for the locks of a sync."""

import pytest

from common.postgres.locking.room import LockRoom


def test_a_dry_run_warns_where_a_sync_would_lock_more_tables_than_there_is_room_for() -> None:
    assert (
        LockRoom(per_transaction=64, sessions=100, tables=6400, relations=20_000).warnings() == []
    )

    (warning,) = LockRoom(
        per_transaction=64, sessions=100, tables=6401, relations=20_000
    ).warnings()

    assert "room for 6400 locks" in warning
    assert "set it to 896" in warning  # (20,000 + 64,010) / 100, in steps of 64


@pytest.mark.parametrize(
    ("per_transaction", "role", "value"),
    [(64, "source", 256), (64, "target", 896), (1024, "source", 1088)],
)
def test_the_value_has_room_for_everything_and_is_more_than_it_was(
    per_transaction: int, role: str, value: int
) -> None:
    room = LockRoom(per_transaction, sessions=100, tables=6401, relations=20_000)

    message = room.error(role, "the database x").message

    assert f"max_locks_per_transaction of the {role}'s server is {per_transaction}," in message
    assert f"set it to {value} " in message
