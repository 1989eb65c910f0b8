"""The users table's name in the settings."""

import pytest

from common.errors import ConfigurationError
from common.postgres.names import Name
from update_db.users_table import UsersTable


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("public.users", Name("public", "users")),
        ("App Data.Users", Name("App Data", "Users")),
        ('app."people"', Name("app", "people")),
        ('app."people.2024"', Name("app", "people.2024")),
    ],
)
def test_a_tables_name_is_split_at_its_dot_and_may_be_quoted(setting: str, name: Name) -> None:
    assert UsersTable.of(setting, "email", "cognito_sub") == UsersTable(
        name, "email", "cognito_sub"
    )


@pytest.mark.parametrize("setting", ["users", "", ".", ".users", "public.", "shop.public.users"])
def test_a_name_of_any_other_form_is_refused_and_shown(setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        UsersTable.of(setting, "email", "cognito_sub")

    assert f'USERS_TABLE is "{setting}"; it must be "schema.table".' in str(caught.value)
