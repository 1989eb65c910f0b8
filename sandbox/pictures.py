"""`python -m sandbox.pictures`: makes the README's pictures, of a real run on this machine.

It needs a Chromium. The pictures are `docs/pictures/demo.png`, which is the demo's output, and
`report-light.png` and `report-dark.png`, the page of a run after some nights.
"""

import io
import sys
from collections.abc import Callable
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from sandbox.account import StagingAccount, staging_account
from sandbox.bookshop.masks import SYNC_RULES
from sandbox.browser import find_chromium
from sandbox.cloud import PROJECT
from sandbox.demo import INPUT, Story, tell
from sandbox.pages import wait_for_page
from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order
from statemachine import execution

PICTURES = PROJECT / "docs" / "pictures"
COLUMNS = 88  # of the terminal
SIZE: ViewportSize = {"width": 1200, "height": 1488}  # of the page in a picture, in CSS pixels
NIGHTS = 9
# What production's customers do in a night; some nights more than in others.
NIGHT = """
UPDATE orders SET status = 'shipped' WHERE id % 400 = {night};
UPDATE books SET price = price + 1 WHERE id % 50 = {night};
UPDATE reviews SET stars = 5 WHERE id % 300 < {night} AND stars < 5;
INSERT INTO page_views SELECT i % 60, '2025-03-01' FROM generate_series(1, 20 * {night}) AS i;
DELETE FROM order_items WHERE order_id % 500 = {night};
"""


def main() -> int:
    """Make the pictures; return the exit code."""
    console = Console(stderr=True, markup=False)
    try:
        program = find_chromium()
        if program is None:
            raise SandboxError(
                "There is no Chromium on the PATH (on Debian: the package chromium)."
            )
        with ending_in_order(), sync_playwright() as playwright:
            make(playwright.chromium.launch(executable_path=program), console.print)
    except SandboxError as error:
        console.print(error)
        return 1
    return 0


def make(browser: Browser, announce: Callable[[str], None]) -> None:
    """Run the demo and some nights more, and write the pictures of what they show."""
    PICTURES.mkdir(exist_ok=True)
    with staging_account(sync_rules=SYNC_RULES, announce=announce) as account:
        announce("Running the demo")
        shown = _demo(account)
        announce(f"Running {NIGHTS} nights")
        page = _page_after_nights(account)
    _picture_terminal(browser, shown)
    _picture_page(browser, page)
    announce(f"See {PICTURES.relative_to(PROJECT)}/")


def _demo(account: StagingAccount) -> str:
    """Return what the demo prints, as HTML."""
    # No terminal, on which the workflow's progress would be drawn over and over.
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, highlight=False)
    story = Story(console)
    tell(story, account)
    if not all(story.facts):
        raise SandboxError("The demo printed what is not true; `make demo` shows it.")
    return console.export_html(inline_styles=True, theme=SVG_EXPORT_THEME)


def _page_after_nights(account: StagingAccount) -> str:
    """Return the page of the last of some nights."""
    for night in range(1, NIGHTS + 1):
        account.production.change(NIGHT.format(night=night * 7 % 10 + 1))
        ended = execution.run(account, INPUT)
        page = wait_for_page(account, ended.name)
    return page


def _picture_terminal(browser: Browser, html: str) -> None:
    """Take a picture of what a terminal shows."""
    style = "<style>body{margin:0;padding:16px 20px;width:max-content;font-size:14px}</style>"
    page = browser.new_page(viewport={"width": 400, "height": 300}, device_scale_factor=1.5)
    page.set_content(html.replace("</head>", f"{style}</head>"))
    page.locator("body").screenshot(path=PICTURES / "demo.png")


def _picture_page(browser: Browser, html: str) -> None:
    """Take a picture of the beginning of a page, in light and in dark."""
    schemes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
    for scheme in schemes:
        page = browser.new_page(viewport=SIZE, color_scheme=scheme)
        page.set_content(html)
        page.screenshot(path=PICTURES / f"report-{scheme}.png")


if __name__ == "__main__":
    sys.exit(main())
