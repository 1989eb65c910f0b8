"""Whatever an application's function raises, a remap repeats nothing of it."""

import pytest

from common.errors import StagingSyncError
from tests.integration.update_db.conftest import MakeStaging
from tests.integration.update_db.remapping import PoolUser
from tests.support.raising import ADDRESS, PLACES, STATES, raising


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("place", PLACES)
def test_a_remap_repeats_nothing_that_a_function_raises(
    make_staging: MakeStaging, place: str, state: str
) -> None:
    staging = make_staging(
        "INSERT INTO users VALUES (1, 'joe@example.com', 'production-1')",
        "CREATE TABLE users (id int PRIMARY KEY, email text, cognito_sub text)",
    )
    staging.database.execute(raising(place, state, "users", "cognito_sub"))

    with pytest.raises(StagingSyncError) as caught:
        staging.remap(PoolUser("joe@example.com", "refused-1"))

    assert f"SQLSTATE {state}" in str(caught.value)
    assert "public.users" in str(caught.value)
    assert ADDRESS not in str(caught.value)
