"""UpdateDb: a rule "follow" that cannot be followed is refused, and says what to correct."""

import pytest

from common.errors import ConfigurationError
from tests.integration.update_db.conftest import MakeStaging, UseFollow
from tests.integration.update_db.remapping import USERS, PoolUser

SUB = "public.users.cognito_sub"
SCHEMA = f"""{USERS};
CREATE TABLE held (
    sub text, n int, old json, doc jsonb, numbers int[],
    made text GENERATED ALWAYS AS (lower(sub)) STORED
)
"""
ROWS = "INSERT INTO users VALUES (1, 'u1@example.com', 'p-1'); INSERT INTO held VALUES ('p-1')"
FIRST = PoolUser("u1@example.com", "s-1")


def at(path: str) -> dict[str, object]:
    return {"column": SUB, "paths": [path]}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"public.held.n": SUB}, "public.held.n is integer, which holds no sub"),
        ({"public.held.numbers": SUB}, "public.held.numbers is integer[], which holds no sub"),
        ({"public.held.old": SUB}, "public.held.old is json, which holds no sub"),
        ({"public.held.old": at("$.a")}, "public.held.old is json and no jsonb, which alone has"),
        ({"public.held.sub": at("$.a")}, "public.held.sub is text and no jsonb, which alone has"),
        ({"public.held.doc": SUB}, "public.held.doc is jsonb, in which the rule has to name the"),
        ({"public.held.made": SUB}, "public.held.made is generated, so that it cannot be written"),
        ({"public.wishes.*": SUB}, 'no column is named by "public.wishes.*" of the "follow" rule'),
        ([], 'The sync rule "follow" must be an object of columns'),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(
    make_staging: MakeStaging, use_follow: UseFollow, rule: object, said: str
) -> None:
    use_follow(rule)
    staging = make_staging(ROWS, SCHEMA)

    with pytest.raises(ConfigurationError) as refused:
        staging.remap(FIRST)

    assert said in str(refused.value)
    assert staging.subs() == {1: "p-1"}


def test_a_pattern_leaves_generated_columns_out(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow({"public.held.m*": SUB, "public.held.sub": SUB})
    staging = make_staging(ROWS, SCHEMA)

    assert staging.remap(FIRST).output["followers"] == {"public.held.sub": 1}
    assert staging.database.rows("SELECT sub, made FROM held") == [("s-1", "s-1")]


def test_a_variable_that_is_no_json_is_refused(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLLOW", "{")

    with pytest.raises(ConfigurationError, match="FOLLOW is no JSON"):
        make_staging(ROWS, SCHEMA).remap(FIRST)


def test_rules_about_another_sub_column_are_not_the_remaps(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow({"public.held.sub": "public.staff.sub", "public.gone.*": "public.staff.sub"})
    staging = make_staging(ROWS, SCHEMA)

    assert staging.remap(FIRST).output["followers"] == {}
    assert staging.database.rows("SELECT sub FROM held") == [("p-1",)]


def test_the_most_exact_rule_decides_even_if_it_names_another_sub_column_or_none(
    make_staging: MakeStaging, use_follow: UseFollow
) -> None:
    use_follow(
        {"public.*.sub": SUB, "public.held.sub": "public.staff.sub", "public.kept.sub": None}
    )
    tables = "CREATE TABLE notes (sub text); CREATE TABLE kept (sub text)"
    staging = make_staging(ROWS, f"{SCHEMA}; {tables}")

    assert staging.remap(FIRST).output["followers"] == {"public.notes.sub": 0}
