"""The rule "follow": the columns that it names, and those that it says stay as they are."""

import pytest

from common.errors import ConfigurationError
from common.follow.followers import Reference, find_followers
from common.follow.rules import FollowRules
from common.postgres.names import Name, TableColumn

SUB = TableColumn(Name("public", "users"), "cognito_sub")
OWNER, AUTHOR = (TableColumn(Name("public", "notes"), name) for name in ("owner_sub", "author_sub"))
TO_SUB = Reference("notes_author_fkey", AUTHOR, SUB)
FOLLOWS = "public.users.cognito_sub"


def test_a_column_that_a_rule_says_null_of_follows_nothing_and_is_named() -> None:
    rules = FollowRules.parse({"public.notes.*_sub": FOLLOWS, "public.notes.owner_sub": None})

    assert set(find_followers([SUB], [SUB, OWNER, AUTHOR], [], rules)) == {AUTHOR}
    found = rules.rule_of(OWNER)
    assert found
    assert found.followed is None
    assert rules.followed == {SUB}


def test_null_for_a_column_that_is_not_there_is_told() -> None:
    rules = FollowRules.parse({"public.notes.editor_sub": None})

    assert list(rules.unmatched([OWNER])) == [
        'no column is named by "public.notes.editor_sub" of the "follow" rule'
    ]


def test_null_and_a_sub_column_for_the_same_columns_are_refused() -> None:
    rules = FollowRules.parse({"public.notes.owner*": None, "public.notes.*r_sub": FOLLOWS})

    with pytest.raises(ConfigurationError, match="equally exactly"):
        rules.rule_of(OWNER)


def test_a_column_with_a_foreign_key_cannot_stay_as_it_is() -> None:
    rules = FollowRules.parse({"public.notes.author_sub": None})

    with pytest.raises(ConfigurationError, match=r"author_sub.*by the foreign key notes_author_f"):
        find_followers([SUB], [SUB, OWNER, AUTHOR], [TO_SUB], rules)


def test_a_pattern_that_says_null_leaves_columns_with_a_foreign_key_out() -> None:
    rules = FollowRules.parse({"public.notes.*": None})

    assert set(find_followers([SUB], [SUB, OWNER, AUTHOR], [TO_SUB], rules)) == {AUTHOR}
