import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigurationError
from common.manifest import Manifest, Part

PARTS = st.lists(
    st.builds(Part, key=st.text(min_size=1), lines=st.integers(min_value=1)),
    unique_by=lambda part: part.key,
)
MANIFESTS = st.builds(
    lambda parts, pages, warnings: Manifest(
        tuple(parts), sum(part.lines for part in parts), pages, warnings=tuple(warnings)
    ),
    PARTS,
    st.integers(min_value=0),
    st.lists(st.text()),
)


def content(**changed: Any) -> str:
    """Return a good manifest's text with some fields changed."""
    good = {
        "parts": [{"key": "a", "lines": 2}, {"key": "b", "lines": 1}],
        "users": 3,
        "pages": 1,
        "complete": True,
        "warnings": ["It is short."],
    }
    return json.dumps(good | changed)


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest((Part("a", 2), Part("b", 1)), users=3, pages=1, warnings=("It is short.",))

    assert json.loads(content()) == manifest.to_json()
    assert Manifest.parse(content()) == manifest
    assert Manifest.parse(content().encode()) == manifest


def test_a_manifest_from_before_there_were_warnings_has_none() -> None:
    old = {key: value for key, value in json.loads(content()).items() if key != "warnings"}

    assert Manifest.parse(json.dumps(old)).warnings == ()


@given(MANIFESTS)
def test_any_manifest_survives_its_text(manifest: Manifest) -> None:
    assert Manifest.parse(json.dumps(manifest.to_json())) == manifest


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ('{"parts": [', "not JSON"),
        (b"\xff\xfe\xfa", "not JSON"),
        ("[]", '"parts"'),
        ("null", '"parts"'),
        ("{}", '"parts"'),
        (content(parts=None), '"parts"'),
        (content(parts={"key": "a", "lines": 3}), '"parts"'),
        (content(parts=["a", "b"]), '"key"'),
        (content(parts=[{"lines": 3}]), '"key"'),
        (content(parts=[{"key": "", "lines": 3}]), '"key"'),
        (content(parts=[{"key": 5, "lines": 3}]), '"key"'),
        (content(parts=[{"key": "a"}]), '"lines" is not a count'),
        (content(parts=[{"key": "a", "lines": "3"}]), '"lines" is not a count'),
        (content(parts=[{"key": "a", "lines": -3}], users=-3), '"lines" is not a count'),
        (content(parts=[{"key": "a", "lines": True}], users=1), '"lines" is not a count'),
        (content(users=None), '"users" is not a count'),
        (content(users=3.0), '"users" is not a count'),
        (content(pages="1"), '"pages" is not a count'),
        (content(users=4), "3 lines for 4 users"),
        (content(parts=[]), "0 lines for 3 users"),
        (content(parts=[{"key": "a", "lines": 2}, {"key": "a", "lines": 1}]), "a part twice"),
        (content(warnings="It is short."), '"warnings" is not'),
        (content(warnings=[1]), '"warnings" is not'),
        (content(complete=False), "not complete"),
        (content(complete=1), "not complete"),
        (content(complete=None), "not complete"),
    ],
)
def test_a_manifest_that_does_not_add_up_is_refused(text: str | bytes, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Manifest.parse(text)

    assert why in str(caught.value)
    assert "Start a new execution" in str(caught.value)


@given(st.text() | st.binary())
def test_an_arbitrary_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(ConfigurationError):
        Manifest.parse(text)
