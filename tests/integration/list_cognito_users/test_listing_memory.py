"""ListCognitoUsers: its memory does not grow with the pool."""

import tracemalloc
from typing import IO

from list_cognito_users.tuning import Tuning
from tests.integration.list_cognito_users.pools import DictExchange, Pool, direct_client
from tests.support.cognito_service import CognitoService
from tests.support.cognito_users import GeneratedUsers


class DiscardingExchange(DictExchange):
    """Keeps no parts, which would be in this process's memory."""

    def upload(self, name: str, content: IO[bytes]) -> str:
        assert content.getbuffer().nbytes, name  # type: ignore[attr-defined]  # a BytesIO
        return self.uri(name)


def test_memory_does_not_grow_with_the_pool() -> None:
    small = peak_memory(users=1_200)
    large = peak_memory(users=12_000)

    assert large < small * 2, "ten times the users"


def peak_memory(users: int) -> int:
    """Return the peak memory, in bytes, of listing so many users."""
    service = CognitoService(GeneratedUsers(users), quota=float("inf"))
    pool = Pool(service, direct_client(service), DiscardingExchange())
    tracemalloc.start()
    try:
        result = pool.list(tuning=Tuning(users_per_part=60))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.users == users
    return peak
