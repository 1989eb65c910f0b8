"""UpdateDb: masked addresses of other people, of another key, and under a rule that is none."""

from collections.abc import Callable

import pytest

from common.errors import ConfigurationError
from tests.integration.update_db.conftest import MakeStaging, UseMask
from tests.integration.update_db.masked_staging import ANA, BO, TEAM, staging_of, subs_of
from tests.integration.update_db.remapping import PoolUser
from tests.support.masked_emails import OTHER_KEY, masked


@pytest.mark.parametrize("dress", [str, str.upper, " {} ".format])
@pytest.mark.parametrize(
    "in_staging",
    [
        pytest.param(masked(ANA), id="masked"),
        pytest.param(masked("Ana@x.org"), id="with a suffix"),
        pytest.param(masked(ANA, OTHER_KEY), id="by an older key"),
        pytest.param(masked(ANA, digits=20), id="for a shorter column"),
    ],
)
def test_who_takes_a_masked_address_for_their_own_gets_nothing(
    make_staging: MakeStaging, use_mask: UseMask, in_staging: str, dress: Callable[[str], str]
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (in_staging, "p-1"), (masked(BO), "s-bo"))
    thief = PoolUser(dress(in_staging), "s-thief")

    result = staging.remap(thief, PoolUser(BO, "s-bo"))

    assert subs_of(staging) == ["p-1", "s-bo"]
    assert result.counts["skipped_no_db_user"] == 1


def test_rows_of_another_key_find_nobody_and_the_remap_says_so(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask("email")
    staging = staging_of(make_staging, (masked(ANA, OTHER_KEY), "s-1"), (None, "s-2"))

    result = staging.remap(PoolUser(ANA, "s-ana"), PoolUser(BO, "s-1"))

    assert subs_of(staging) == ["s-1", "s-2"]
    assert "Nobody was matched" in result.warnings
    assert "1 rows have an address that was masked by another key" in result.warnings
    assert 'Run a sync with {"sync_cognito": true}' in result.warnings


@pytest.mark.parametrize("rule", [TEAM, None])
def test_they_keep_their_sub_though_others_match(
    make_staging: MakeStaging, use_mask: UseMask, rule: object
) -> None:
    if rule:
        use_mask(rule)
    staging = staging_of(
        make_staging,
        ("dev@team.example", "p-1"),
        (masked("Ana@x.org", OTHER_KEY), "s-ana"),
        (masked(BO, OTHER_KEY, digits=12), "s-bo"),
    )

    result = staging.remap(
        PoolUser("dev@team.example", "s-dev"), PoolUser(ANA, "s-ana"), PoolUser(BO, "s-bo")
    )

    assert subs_of(staging) == ["s-dev", "s-ana", "s-bo"]
    assert "mismatched" not in result.counts
    told = "masked by another key" if rule else "the remap has no rule (EMAIL_MASK)"
    assert f"2 rows have a{'n address that was' if rule else ''}" in result.warnings
    assert told in result.warnings


def test_a_remap_without_a_rule_says_what_is_missing(make_staging: MakeStaging) -> None:
    staging = staging_of(make_staging, (masked(ANA), "p-1"), (masked(BO), "p-2"))

    result = staging.remap(PoolUser(ANA, "s-ana"))

    assert subs_of(staging) == ["p-1", "p-2"]
    assert "Nobody was matched" in result.warnings
    assert "2 rows have a masked address, but the remap has no rule" in result.warnings


def test_rows_that_are_masked_as_they_should_be_need_no_word(
    make_staging: MakeStaging, use_mask: UseMask
) -> None:
    use_mask(TEAM)
    staging = staging_of(
        make_staging, (masked("Ana@x.org"), "p-1"), (masked(BO), "p-2"), ("x@y.org", "p-3")
    )

    result = staging.remap(PoolUser(ANA, "s-ana"))

    assert result.counts == {"updated": 1, "skipped_no_cognito_user": 2}
    assert result.warnings == ""


def test_a_rule_without_a_key_is_refused(
    make_staging: MakeStaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_MASK", '"email"')

    with pytest.raises(ConfigurationError, match="mask_key_secret_arn"):
        make_staging().remap(PoolUser(ANA, "s-ana"))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("hash", "of the kind"),
        ({"with": "hash"}, "of the kind"),
        (["email"], "of the kind"),
        ({"with": "email", "keep_domains": "team.example"}, "keep_domains"),
        ({"with": "email", "keep": []}, "keep_domains"),
    ],
)
def test_another_rule_is_refused(
    make_staging: MakeStaging, use_mask: UseMask, rule: object, why: str
) -> None:
    use_mask(rule)

    with pytest.raises(ConfigurationError, match=why):
        make_staging().remap(PoolUser(ANA, "s-ana"))


@pytest.mark.parametrize("text", ["email", "{"])
def test_a_rule_that_is_no_json_is_refused(
    make_staging: MakeStaging,
    use_mask: UseMask,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    use_mask("email")
    monkeypatch.setenv("EMAIL_MASK", text)

    with pytest.raises(ConfigurationError, match="EMAIL_MASK"):
        make_staging().remap(PoolUser(ANA, "s-ana"))
