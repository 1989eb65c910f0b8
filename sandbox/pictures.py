"""`python -m sandbox.pictures`: makes the README's pictures, of a real run on this machine.

It needs a Chromium. The pictures are `docs/pictures/demo.png`, which is the demo's output, and
`report-light.png` and `report-dark.png`, the page of a run after some nights.
"""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from sandbox.account import StagingAccount, staging_account
from sandbox.bookshop.masks import SYNC_RULES
from sandbox.browser import chromium_path
from sandbox.cloud import PROJECT
from sandbox.demo import INPUT, Story, tell
from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order
from statemachine import execution

PICTURES = PROJECT / "docs" / "pictures"
COLUMNS = 88  # of the terminal
PAGE_WIDTH, PAGE_HEIGHT = 1200, 1560  # what a picture shows of the page, in CSS pixels
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
        with ending_in_order(), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path())
            make(browser, console.print)
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
    console = Console(
        record=True, file=io.StringIO(), force_terminal=True, width=COLUMNS, highlight=False
    )
    story = Story(console)
    tell(story, account)
    if not all(story.facts):
        raise SandboxError("The demo printed what is not true; `make demo` shows it.")
    return console.export_html(inline_styles=True)


def _page_after_nights(account: StagingAccount) -> str:
    """Return the page of the last of some nights."""
    for night in range(1, NIGHTS + 1):
        account.production.change(NIGHT.format(night=night * 7 % 10 + 1))
        ended = execution.run(account, INPUT)
        page = _wait_for_page(account, ended.name)
    return page


def _wait_for_page(account: StagingAccount, name: str) -> str:
    """Return the page of an execution, which is written soon after its end."""
    client = account.clients.s3
    for _ in range(100):
        try:
            found = client.get_object(Bucket=account.bucket, Key=f"executions/{name}/report.html")
        except client.exceptions.NoSuchKey:
            time.sleep(0.2)
        else:
            return found["Body"].read().decode()
    raise SandboxError(f"The execution {name} has no page.")


def _picture_terminal(browser: Browser, html: str) -> None:
    """Take a picture of what a terminal shows."""
    style = "<style>body{margin:0;padding:16px 20px;width:max-content;font-size:14px}</style>"
    page = browser.new_page(viewport={"width": 400, "height": 300}, device_scale_factor=1.5)
    page.set_content(html.replace("</head>", f"{style}</head>"))
    page.locator("body").screenshot(path=PICTURES / "demo.png")


def _picture_page(browser: Browser, html: str) -> None:
    """Take a picture of the beginning of a page, in light and in dark."""
    size = {"width": PAGE_WIDTH, "height": PAGE_HEIGHT}
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport=size, color_scheme=scheme)
        page.set_content(html)
        page.screenshot(path=PICTURES / f"report-{scheme}.png")


if __name__ == "__main__":
    sys.exit(main())
