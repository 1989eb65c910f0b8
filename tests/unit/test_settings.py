import pytest

from common import settings
from common.errors import ConfigurationError


def test_a_variable_that_is_set_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_BUCKET", "exchange")

    assert settings.required("EXCHANGE_BUCKET") == "exchange"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_missing_or_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("EXCHANGE_BUCKET", raising=False)
    if value is not None:
        monkeypatch.setenv("EXCHANGE_BUCKET", value)

    with pytest.raises(ConfigurationError, match="EXCHANGE_BUCKET is not set"):
        settings.required("EXCHANGE_BUCKET")


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), (None, False)])
def test_a_flag_is_true_only_if_it_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool
) -> None:
    monkeypatch.delenv("REQUIRE_VERIFIED_EMAIL", raising=False)
    if value is not None:
        monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", value)

    assert settings.flag("REQUIRE_VERIFIED_EMAIL") is expected


@pytest.mark.parametrize("value", ["", "True", "1", "yes", " true"])
def test_a_flag_of_any_other_value_is_refused_and_not_taken_for_false(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("REQUIRE_VERIFIED_EMAIL", value)

    with pytest.raises(ConfigurationError, match='REQUIRE_VERIFIED_EMAIL must be "true" or'):
        settings.flag("REQUIRE_VERIFIED_EMAIL")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("app.members", "app.members"), ("", "public.users"), (None, "public.users")],
)
def test_an_optional_variable_has_a_default_where_it_is_missing_or_empty(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str
) -> None:
    monkeypatch.delenv("USERS_TABLE", raising=False)
    if value is not None:
        monkeypatch.setenv("USERS_TABLE", value)

    assert settings.optional("USERS_TABLE", "public.users") == expected
