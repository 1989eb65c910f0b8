"""The kinds of masks: which options a rule may have, and the sentence that a malformed one gets."""

from typing import Any

import pytest

from common.errors import ConfigurationError
from common.json_paths import EACH, EVERY_KEY, parse_path
from common.masking.emails import EmailMask
from db_sync.mask.kinds import KINDS, MaskRule

FIXED: list[Any] = ["", "x", 0, False, 1.5, [], {"a": None}]
WITHOUT_OPTIONS = ["null", "hash", "name", "text", "ip", "uuid"]


@pytest.mark.parametrize(
    "rule",
    [
        *WITHOUT_OPTIONS,
        *({"with": kind} for kind in WITHOUT_OPTIONS),
        "email",
        {"with": "email", "keep_domains": []},
        {"with": "email", "keep_domains": ["Example.COM", "xn--exmple-cua.com"]},
        "phone",
        {"with": "phone", "prefix": ""},
        {"with": "phone", "prefix": "+1555010"},
        "number",
        {"with": "number", "within": 0.5},
        {"with": "number", "within": 10**15},
        {"with": "number", "within_percent": 100},
        "date",
        {"with": "date", "within_days": 1},
        {"with": "date", "within_days": 36_500},
        *({"with": "fixed", "value": value} for value in FIXED),
        {"with": "sql", "expression": "left({column}, 20)"},
        {"with": "json", "paths": {"$.a": "hash", "$.b[*]": {"with": "phone", "prefix": "+1"}}},
        {"with": "json", "paths": {"$.a.b": "hash", "$.a.c": "name", "$.b[*]": "text"}},
        {"with": "json", "paths": {"$.*.a": "hash", "$.*.b": "null"}},
    ],
)
def test_a_rule_of_each_kind_is_taken(rule: Any) -> None:
    kind = rule if isinstance(rule, str) else rule["with"]

    assert str(MaskRule.parse("public.t.c", rule)) == kind


@pytest.mark.parametrize("rule", [None, 1, True, [], ["hash"], {}, {"kind": "hash"}, {"with": 1}])
def test_what_is_no_rule_is_refused_with_an_example(rule: object) -> None:
    with pytest.raises(
        ConfigurationError, match=r'mask of "public.t.c" must be a kind, like "hash"'
    ):
        MaskRule.parse("public.t.c", rule)


@pytest.mark.parametrize("rule", ["", "Hash", "sha256", {"with": "faker"}])
def test_an_unknown_kind_is_refused_with_those_that_there_are(rule: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MaskRule.parse("public.t.c", rule)

    assert 'The mask of "public.t.c" is of the kind' in caught.value.message
    assert ", ".join(KINDS) in caught.value.message


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        *(({"with": kind, "value": 1}, "no options") for kind in WITHOUT_OPTIONS),
        ("fixed", 'must have a "value"'),
        ({"with": "fixed", "value": None}, "null is a kind"),
        ({"with": "fixed", "value": 1, "or": 2}, "nothing else"),
        ({"with": "email", "keep_domains": "example.com"}, "a list of domains"),
        ({"with": "email", "keep_domains": [1]}, "a list of domains"),
        ({"with": "email", "keep_domains": ["@example.com"]}, "a list of domains"),
        ({"with": "email", "keep_domains": ["localhost"]}, "a list of domains"),
        ({"with": "email", "keep_domains": ["example.com "]}, "a list of domains"),
        ({"with": "email", "keep_domains": ["a b.com"]}, "a list of domains"),
        ({"with": "email", "keep_domains": ["exämple.com"]}, "punycode"),
        ({"with": "email", "keep_domains": ["x.INVALID"]}, ".invalid"),
        ({"with": "email", "keep": ["example.com"]}, "nothing else"),
        ({"with": "phone", "prefix": 49}, '"prefix"'),
        ({"with": "phone", "prefix": None}, '"prefix"'),
        ({"with": "phone", "prefix": "+\uff14\uff19"}, '"prefix"'),
        ({"with": "phone", "digits": 8}, "nothing else"),
        ({"with": "number", "within": 0}, "more than 0"),
        ({"with": "number", "within": -1}, "more than 0"),
        ({"with": "number", "within": 10**16}, '"within"'),
        ({"with": "number", "within": "1"}, '"within"'),
        ({"with": "number", "within": True}, '"within"'),
        ({"with": "number", "within": float("nan")}, '"within"'),
        ({"with": "number", "within": float("inf")}, '"within"'),
        ({"with": "number", "within_percent": 101}, "at most 100"),
        ({"with": "number", "within": 1, "within_percent": 1}, "either"),
        ({"with": "number", "by": 1}, "either"),
        ({"with": "date", "within_days": 0}, "whole days"),
        ({"with": "date", "within_days": 1.5}, "whole days"),
        ({"with": "date", "within_days": True}, "whole days"),
        ({"with": "date", "within_days": 36_501}, "36500"),
        ({"with": "date", "within": 1}, "within_days"),
        ("sql", 'must have an "expression"'),
        ({"with": "sql", "expression": ""}, 'must have an "expression"'),
        ({"with": "sql", "expression": 1}, 'must have an "expression"'),
        ({"with": "sql", "expression": "1", "value": 1}, "nothing else"),
        ({"with": "sql", "expression": "1); DROP TABLE t"}, "semicolon"),
        ("json", 'must have "paths"'),
        ({"with": "json", "paths": {}}, 'must have "paths"'),
        ({"with": "json", "paths": ["$.a"]}, 'must have "paths"'),
        ({"with": "json", "paths": {"a": "hash"}}, '"a" is no path'),
        ({"with": "json", "paths": {"$.a": "nothing"}}, 'mask of "$.a" is of the kind "nothing"'),
        ({"with": "json", "paths": {"$.a": {"with": "hash", "x": 1}}}, "no options"),
        ({"with": "json", "paths": {"$.a": "date"}}, "cannot be of the kind date"),
        ({"with": "json", "paths": {"$.a": {"with": "sql", "expression": "1"}}}, "kind sql"),
        ({"with": "json", "paths": {"$.a": "hash", "$.a.b": "null"}}, "leads to or through"),
        # One place, written in two ways; or a place and all of them.
        ({"with": "json", "paths": {"$.a": "hash", '$["a"]': "null"}}, "leads"),
        ({"with": "json", "paths": {"$.*": "hash", "$.a": "null"}}, "leads"),
        ({"with": "json", "paths": {"$.a": "hash", "$.*.b": "null"}}, "leads"),
        # PostgreSQL has no NUL.
        ({"with": "fixed", "value": "a\x00"}, "NUL"),
        ({"with": "fixed", "value": {"a": ["\x00"]}}, "NUL"),
        ({"with": "fixed", "value": {"\x00": 1}}, "NUL"),
        ({"with": "phone", "prefix": "\x00"}, "NUL"),
        ({"with": "email", "keep_domains": ["a\x00.com"]}, "NUL"),
        ({"with": "json", "paths": {"$.\x00": "hash"}}, "NUL"),
        ({"with": "sql", "expression": "'\x00'"}, "NUL"),
    ],
)
def test_a_malformed_option_is_named_with_what_it_may_be(rule: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MaskRule.parse("public.t.c", rule)

    assert caught.value.message.startswith('The mask of "public.t.c": ')
    assert says in caught.value.message


def test_the_options_of_an_email_are_kept_in_lower_case_and_in_order() -> None:
    rule = MaskRule.parse("c", {"with": "email", "keep_domains": ["x.org", "Example.com", "x.ORG"]})

    assert rule.email == EmailMask(("example.com", "x.org"))


@pytest.mark.parametrize("rule", ["hash", {"with": "sql", "expression": "1"}, None, 1, {}, "Email"])
def test_the_remaps_email_may_have_no_mask_of_another_kind(rule: object) -> None:
    with pytest.raises(ConfigurationError, match='of the kind "email" only'):
        EmailMask.parse(rule)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$.a", (("a",),)),
        ("$.address.street", (("address",), ("street",))),
        ("$.phones[*]", (("phones",), EACH)),
        ("$[*].a", (EACH, ("a",))),
        ("$.a.*", (("a",), EVERY_KEY)),
        ("$.*[*].*", (EVERY_KEY, EACH, EVERY_KEY)),
        ('$["a key"].b', (("a key",), ("b",))),
        ('$["a.b"]["[*]"]', (("a.b",), ("[*]",))),
        (r'$["say \"hi\" \\"]', (('say "hi" \\',),)),
        ("$.straße-1$", (("straße-1$",),)),
    ],
)
def test_a_path_leads_over_keys_elements_and_values(text: str, path: object) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    ["", "$", "a", ".a", "a.b", "$a", "$.", "$..a", "$.a[0]", "$.a[", "$.a b", "$['a']", '$["a]',
     '$[""]', "$.a.", "$.a[*", "$.a]", " $.a", "$.a ", '$."a"', "$.a\n"],
)  # fmt: skip
def test_what_is_no_path_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is no path into JSON\. Write it like"):
        parse_path(text)
