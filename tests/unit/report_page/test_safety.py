"""Whatever others have named, the page only shows it; and nothing but its own script can run."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_reports import hostile, hostile_failure
from tests.support.parsed_pages import Parsed, parsed
from tests.support.sample_reports import execution, good_night
from tests.support.samples import SAMPLES
from write_report.page.rendering import render

PIECES = (
    *("<script>", "</script>", "<b>", "</bdi>", "<!--", "-->", "]]>", "&lt;", "{{", "{%", "/>"),
    *('"', "'", "`", "=", "\n", "\r", "\t", "\x1b", "\u202e", "\u2066", "\ud800", "😀", "a"),
)
TEXT = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=8).map("".join)
NAMES = st.lists(TEXT.map("n{}".format), min_size=1, max_size=3, unique=True)


def elements(page: Parsed) -> Counter[str]:
    """Count the elements, but for those that mark what is not seen."""
    return Counter(element.tag for element in page.elements if element.tag != "mark")


def attributes(page: Parsed) -> set[str]:
    return {name for element in page.elements for name in element.attributes}


@given(NAMES)
def test_no_name_or_text_adds_an_element_or_attribute(names: list[str]) -> None:
    harmless = [f"n{number}" for number in range(len(names))]

    for sample in (hostile, hostile_failure):
        html = render(sample(names))
        assert html.encode()
        page, plain = parsed(html), parsed(render(sample(harmless)))
        assert elements(page) == elements(plain)
        assert attributes(page) == attributes(plain)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_policy_allows_the_page_s_own_style_and_script_and_nothing_else(sample: str) -> None:
    html = render(SAMPLES[sample]())
    page = parsed(html)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0].attributes["content"]

    def source(tag: str) -> str:
        ((content,),) = (re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL),)
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    assert policy == (
        f"default-src 'none'; style-src {source('style')}; script-src {source('script')};"
        " base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_in_the_page_needs_another_file_or_is_forbidden_by_its_policy(sample: str) -> None:
    page = parsed(render(SAMPLES[sample]()))

    assert not elements(page).keys() & {"link", "img", "iframe", "object", "embed", "form", "base"}
    assert not [name for name in attributes(page) if name == "style" or name.startswith("on")]
    assert not attributes(page) & {"src", "srcset", "action", "ping"}


def test_only_a_console_of_https_is_a_link() -> None:
    page = parsed(render(hostile()))

    links = {link.attributes["href"] or "" for link in page.all("a")}

    assert all(link.startswith("#") for link in links)


def test_what_is_not_seen_is_shown() -> None:
    page = parsed(render(hostile(["a\u202eb\nc\ud800"])))

    assert "public.aU+202Eb\\ncU+D800" in [element.text for element in page.all("bdi")]


def test_a_moment_with_something_unseen_in_it_is_none_of_the_page_s_attributes() -> None:
    # Python accepts any character between date and time.
    moment = "2026-11-27\ud80003:00:12"
    report = replace(good_night(), execution=execution(started_at=moment, ended_at=moment))

    assert render(report).encode()


@pytest.mark.parametrize("sample", ["hostile", "hostile_failure"])
def test_no_character_of_the_page_turns_the_direction_or_is_unseen(sample: str) -> None:
    html = render(SAMPLES[sample]())

    assert not [each for each in html.replace("\n", "") if not each.isprintable()]
