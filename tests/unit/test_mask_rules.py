"""Mask rules: which columns a pattern names, which rule wins, how a malformed one is refused."""

from typing import Any

import pytest

from common.errors import ConfigurationError
from common.postgres.column_patterns import ColumnPattern
from common.postgres.names import Name
from db_sync.mask.rules import MaskRules

USERS = Name("public", "users")


@pytest.mark.parametrize(
    ("pattern", "table", "column", "is_named"),
    [
        ("public.users.email", USERS, "email", True),
        ("public.users.email", USERS, "emails", False),
        ("public.users.email", Name("Public", "users"), "email", False),
        ("*.email", USERS, "email", True),
        ("*.email", Name("any where", "at.all"), "email", True),
        ("*.email", USERS, "work_email", False),
        ("*.*email*", USERS, "work_email_2", True),
        ("public.*.email", USERS, "email", True),
        ("public.*.email", Name("shop", "users"), "email", False),
        ("public.user*.*_ip", Name("public", "users_2024"), "last_ip", True),
        ("public.user*.*_ip", Name("public", "superusers"), "last_ip", False),
        ("*.*.*", USERS, "a\nb", True),
        ('public."audit.2024".at', Name("public", "audit.2024"), "at", True),
        ('public."audit.2024".at', Name("public", "audit"), "at", False),
        ('public.t."say ""hi"""', Name("public", "t"), 'say "hi"', True),
        ("public.t.a+b", Name("public", "t"), "aab", False),
        ("public.t.a+*", Name("public", "t"), "a+b", True),
    ],
)
def test_a_pattern_names_the_columns_whose_parts_are_like_its_own(
    pattern: str, table: Name, column: str, *, is_named: bool
) -> None:
    assert ColumnPattern.parse(pattern, "mask").matches(table, column) == is_named


@pytest.mark.parametrize(
    "patterns",
    [
        ["public.users.email", "public.users.e*"],
        ["public.users.e*", "public.*.email"],  # equally many parts, and more letters
        ["public.*.email", "*.email"],
        ["*.email", "*.em*"],
        ["*.em*", "*.*"],
    ],
)
def test_the_more_exact_rule_wins_in_whatever_order_they_are_written(patterns: list[str]) -> None:
    rules = dict(zip(patterns, ["hash", "text"], strict=True))

    for order in (rules, dict(reversed(rules.items()))):
        found = MaskRules.parse({"mask": order}).rule_of(USERS, "email")
        assert found
        assert (found[0].text, found[1].kind) == (patterns[0], "hash")


def test_a_column_that_no_rule_names_has_none() -> None:
    rules = MaskRules.parse({"mask": {"public.users.email": "hash"}})

    assert rules.rule_of(USERS, "name") is None


def test_two_equally_exact_rules_must_say_the_same() -> None:
    alike = MaskRules.parse({"mask": {"public.users.*l": "hash", "public.users.e*": "hash"}})
    found = alike.rule_of(USERS, "email")
    assert found
    assert found[1].kind == "hash"

    rules = MaskRules.parse({"mask": {"public.users.*l": "hash", "public.users.e*": "text"}})
    with pytest.raises(
        ConfigurationError, match=r'"public.users.(\*l|e\*)" and .*public\.users\.email, equally'
    ):
        rules.rule_of(USERS, "email")


def test_one_column_written_in_two_ways_may_not_have_two_rules() -> None:
    rules = MaskRules.parse(
        {"mask": {"public.users.email": "hash", 'public."users".email': "name"}}
    )

    with pytest.raises(ConfigurationError, match="Write a rule for that column"):
        rules.rule_of(USERS, "email")


def test_reviewed_columns_are_named_by_patterns_too() -> None:
    rules = MaskRules.parse({"reviewed": ["*.created_*", "public.users.email"]})

    assert rules.is_reviewed(USERS, "created_at")
    assert rules.is_reviewed(USERS, "email")
    assert not rules.is_reviewed(USERS, "name")


def test_patterns_that_name_nothing_are_told_each() -> None:
    rules = MaskRules.parse(
        {"mask": {"*.email": "hash", "*.emial": "hash"}, "reviewed": ["*.nmae", "*.name"]}
    )

    assert list(rules.unmatched([(USERS, "email"), (USERS, "name")])) == [
        'no column is named by "*.emial" of the "mask" rule',
        'no column is named by "*.nmae" of the "reviewed" rule',
    ]


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"mask": ["public.users.email"]}, '"mask" must be an object'),
        ({"mask": {"users.email": "hash"}}, 'rule "mask" names "users.email"; it must be "schema'),
        ({"mask": {"email": "hash"}}, 'names "email"'),
        ({"mask": {"a.b.c.d": "hash"}}, 'names "a.b.c.d"'),
        ({"mask": {"": "hash"}}, 'names ""'),
        ({"mask": {"public..email": "hash"}}, 'names "public..email"'),
        ({"reviewed": "public.users.email"}, '"reviewed" must be a list'),
        ({"reviewed": [1]}, '"reviewed" must be a list'),
        ({"reviewed": ["users.email"]}, 'rule "reviewed" names "users.email"'),
        ({"unreviewed": "ignore"}, '"unreviewed" must be "warn", "fail" or "mask"'),
        ({"unreviewed": True}, '"unreviewed" must be'),
        ({"unreviewed": []}, '"unreviewed" must be'),
    ],
)
def test_a_malformed_rule_is_named_with_what_it_must_be(rules: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MaskRules.parse(rules)

    assert says in caught.value.message


@pytest.mark.parametrize(
    ("rules", "are_any"),
    [
        ({}, False),
        ({"unreviewed": "warn"}, False),
        ({"unreviewed": "fail"}, True),
        ({"reviewed": ["*.email"]}, True),
        ({"mask": {"*.email": "hash"}}, True),
    ],
)
def test_a_team_that_writes_nothing_has_no_rules(rules: dict[str, Any], *, are_any: bool) -> None:
    assert bool(MaskRules.parse(rules)) == are_any
