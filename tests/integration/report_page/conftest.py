"""A real browser, and pages opened from disk in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.browser import PROGRAMS, find_chromium
from tests.support.axe import axe_source
from write_report.model import Report
from write_report.page.rendering import render


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    program = find_chromium()
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program)
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script."""
    source = axe_source()
    if source is None:
        pytest.skip("axe-core is not there, and npm cannot fetch it")
    return source


@dataclass
class Opened:
    """A page in the browser, and what it has complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)


type Open = Callable[..., Opened]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a report's page, with options of a browser's context: a width, a colour scheme."""
    contexts = []

    def opened(report: Report, *, width: int = 1280, **options: Any) -> Opened:
        file = tmp_path / "report.html"
        file.write_text(render(report), "utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        result = Opened(context.new_page())
        result.page.on("console", lambda message: result.complaints.append(message.text))
        result.page.on("pageerror", lambda error: result.complaints.append(str(error)))
        result.page.goto(file.as_uri())
        return result

    yield opened
    for context in contexts:
        context.close()
