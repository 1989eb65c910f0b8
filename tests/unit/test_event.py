from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.event import (
    FLAGS,
    NAME_LENGTH,
    Event,
    ExecutionInput,
    parse_event,
    parse_execution_input,
)

FIELDS = st.sampled_from([*FLAGS, "Comment"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)


def accepted(value: object) -> bool:
    """Return what the contract says, implemented in another way than the code under test."""
    return isinstance(value, dict) and all(
        key == "Comment" or (key in FLAGS and (content is True or content is False))
        for key, content in value.items()
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, ExecutionInput()),
        ({"sync_cognito": True}, ExecutionInput(sync_cognito=True)),
        ({"cognito_only": True}, ExecutionInput(cognito_only=True)),
        ({"dry_run": True}, ExecutionInput(dry_run=True)),
        ({"sync_cognito": False, "dry_run": False}, ExecutionInput()),
        (
            {"sync_cognito": True, "cognito_only": True, "dry_run": True},
            ExecutionInput(sync_cognito=True, cognito_only=True, dry_run=True),
        ),
        ({"Comment": "Insert your JSON here"}, ExecutionInput()),
        ({"Comment": {"any": ["thing"]}, "dry_run": True}, ExecutionInput(dry_run=True)),
    ],
)
def test_an_input_of_the_contract_is_accepted(value: object, expected: ExecutionInput) -> None:
    assert parse_execution_input(value) == expected


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ([], "must be a JSON object, not an array"),
        ("x", "must be a JSON object, not a string"),
        ("true", "must be a JSON object, not a string"),
        (5, "must be a JSON object, not a number"),
        (5.5, "must be a JSON object, not a number"),
        (True, "must be a JSON object, not a boolean"),
        (None, "must be a JSON object, not null"),
        ({"sync_cognito": "true"}, '"sync_cognito" must be true or false, not a string'),
        ({"sync_cognito": 1}, '"sync_cognito" must be true or false, not a number'),
        ({"sync_cognito": 0}, '"sync_cognito" must be true or false, not a number'),
        ({"sync_cognito": None}, '"sync_cognito" must be true or false, not null'),
        ({"cognito_only": [True]}, '"cognito_only" must be true or false, not an array'),
        ({"dry_run": {}}, '"dry_run" must be true or false, not an object'),
        ({"sync_congito": True}, '"sync_congito" is not a field'),
        ({"SYNC_COGNITO": True}, '"SYNC_COGNITO" is not a field'),
        ({"comment": "x"}, '"comment" is not a field'),
        ({"": True}, '"" is not a field'),
    ],
)
def test_any_other_input_is_refused_with_the_field_and_what_is_accepted(
    value: object, named: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_execution_input(value)

    assert named in str(caught.value)
    for flag in FLAGS:
        assert flag in str(caught.value)


def test_every_bad_field_is_named_and_not_only_the_first() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_execution_input({"dryrun": True, "sync_cognito": "yes", "cognito_only": 1})

    for named in ('"dryrun"', '"sync_cognito"', '"cognito_only"'):
        assert named in str(caught.value)


def test_a_bad_fields_value_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_execution_input({"sync_cognito": "jane@example.com", "dry_run": ["secret"]})

    assert "jane@example.com" not in str(caught.value)
    assert "secret" not in str(caught.value)


@given(JSON)
@example({"sync_cognito": 1})
@example({"Comment": None, "dry_run": True})
def test_arbitrary_json_is_accepted_as_the_contract_says_or_refused_by_name(value: Any) -> None:
    if accepted(value):
        parsed = parse_execution_input(value)
        assert {flag: getattr(parsed, flag) for flag in FLAGS} == {
            flag: value.get(flag, False) for flag in FLAGS
        }
        return
    with pytest.raises(InvalidInput) as caught:
        parse_execution_input(value)
    if not isinstance(value, dict):
        assert "must be a JSON object" in str(caught.value)
        return
    bad = [key for key, content in value.items() if not accepted({key: content})]
    for key in bad:
        assert f'"{key[:NAME_LENGTH]}"' in str(caught.value)


def test_an_event_holds_the_executions_name_its_input_and_the_rest() -> None:
    event = parse_event(
        {
            "execution": "nightly-2026-03-01",
            "input": {"sync_cognito": True},
            "cognito_users": {"bucket": "exchange"},
        }
    )

    assert event == Event(
        execution="nightly-2026-03-01",
        input=ExecutionInput(sync_cognito=True),
        rest={"cognito_users": {"bucket": "exchange"}},
    )


@pytest.mark.parametrize("execution", ["", None, 5, ["run"], "../other", "a/b"])
def test_an_event_without_an_executions_name_is_refused(execution: object) -> None:
    with pytest.raises(InvalidInput, match=r'"execution".*Start the state machine'):
        parse_event({"execution": execution, "input": {}})


@pytest.mark.parametrize("event", [{}, {"input": {}}, {"execution": "run-1"}])
def test_an_event_that_lacks_a_field_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_event(event)


@given(
    st.fixed_dictionaries(
        {}, optional={"execution": st.just("run-1") | JSON, "input": st.just({}) | JSON}
    )
)
def test_an_arbitrary_event_is_accepted_as_the_contract_says_or_refused(
    event: dict[str, Any],
) -> None:
    name = event.get("execution")
    named = isinstance(name, str) and name != "" and "/" not in name
    if named and accepted(event.get("input")):
        assert parse_event(event).execution == name
        return
    with pytest.raises(InvalidInput, match="The input|is not a field|must be" if named else "name"):
        parse_event(event)
