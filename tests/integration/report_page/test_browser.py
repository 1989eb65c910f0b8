"""The page in a real browser: it looks and works as it should, for everybody."""

from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.integration.report_page.conftest import Open
from tests.support.hostile_reports import HOSTILE, hostile
from tests.support.sample_failures import failed_remap, failed_sync
from tests.support.sample_reports import NIGHT, dry_run, good_night, many_tables, previous
from tests.support.samples import SAMPLES

WIDTHS = (320, 400, 768, 1280, 2560)  # pixels
LOOKS = {
    "good": good_night(),
    "note": dry_run(),
    "care": failed_remap(),
    "bad": failed_sync(),
    "hostile": hostile(HOSTILE[:5]),
}
EVERY_SAMPLE = pytest.mark.parametrize("sample", SAMPLES)


def changed(page: Page) -> Locator:
    return page.get_by_role("table", name="Rows written by table")


def names(table: Locator) -> list[str]:
    return table.locator("tbody th:visible bdi").all_inner_texts()


@EVERY_SAMPLE
def test_the_browser_has_nothing_to_complain_of(sample: str, show: Open) -> None:
    opened = show(SAMPLES[sample]())

    assert opened.complaints == []


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_is_wider_than_the_window(look: str, show: Open) -> None:
    page = show(LOOKS[look]).page

    def excess(width: int) -> int:
        page.set_viewport_size({"width": width, "height": 900})
        return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    assert {width: excess(width) for width in WIDTHS} == dict.fromkeys(WIDTHS, 0)


@pytest.mark.parametrize("look", LOOKS)
def test_no_cell_of_a_table_is_narrower_than_what_is_in_it(look: str, show: Open) -> None:
    page = show(LOOKS[look]).page
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")

    def overfull(width: int) -> list[str]:
        page.set_viewport_size({"width": width, "height": 900})
        cells = "[...document.querySelectorAll('td, th')]"
        return list(
            page.evaluate(
                f"{cells}.filter((cell) => cell.scrollWidth > cell.clientWidth)"
                ".map((cell) => cell.textContent)"
            )
        )

    assert {width: overfull(width) for width in WIDTHS} == {width: [] for width in WIDTHS}


def violations(page: Page, *rules: str) -> list[tuple[str, str, str]]:
    """Return what axe-core, which the page has, finds: of these rules, or of all."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    # axe does not judge the contrast of what stands before a shadow.
    page.evaluate(
        "document.querySelectorAll('.scroll').forEach((each) => { each.style.background = 'none' })"
    )
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    return [
        (rule["id"], node["html"], node["failureSummary"])
        for rule in page.evaluate("(options) => axe.run(options)", options)["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("look", ["good", "bad"])  # the others have the same elements
def test_axe_finds_nothing(look: str, show: Open, axe: str) -> None:
    page = show(LOOKS[look]).page
    page.evaluate(axe)

    assert violations(page) == []


@pytest.mark.parametrize("look", LOOKS)
def test_every_text_has_enough_contrast_in_light_and_dark(look: str, show: Open, axe: str) -> None:
    page = show(LOOKS[look]).page
    page.evaluate(axe)

    assert violations(page, "color-contrast") == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []


def test_hostile_names_run_nothing_and_add_nothing(show: Open) -> None:
    dialogs: list[str] = []
    page = show(hostile()).page
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.get_by_text("onerror=alert(1)").first.hover()

    assert dialogs == []
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0


def test_a_click_on_a_heading_sorts_by_it_and_a_second_one_the_other_way(show: Open) -> None:
    page = show(good_night()).page
    table = changed(page)
    heading = table.get_by_role("columnheader", name="Deleted")

    heading.get_by_role("button").click()
    assert names(table)[:3] == ["public.order_lines", "public.orders", "public.wishlists"]
    expect(heading).to_have_attribute("aria-sort", "descending")

    heading.get_by_role("button").click()
    assert names(table)[-1] == "public.order_lines"
    expect(heading).to_have_attribute("aria-sort", "ascending")


def test_the_keyboard_sorts_too_and_one_heading_at_a_time(show: Open) -> None:
    page = show(good_night()).page
    table = changed(page)

    table.get_by_role("columnheader", name="Table").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert names(table)[0] == 'audit."log.2026"'

    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert names(table)[0] == "public.page_views"
    assert table.locator("th[aria-sort]").count() == 1


def test_moments_are_sorted_by_when_they_are(show: Open) -> None:
    page = show(replace(good_night(), previous=previous(40))).page
    page.get_by_text("The same 30 runs as a table").click()
    table = page.get_by_role("table", name="Runs, the newest first")

    for _ in range(2):
        table.get_by_role("columnheader", name="Started").get_by_role("button").click()

    assert names(table)[:2] == ["nightly-2026-10-29", "nightly-2026-10-30"]


def test_cells_without_a_value_come_last_in_either_order(show: Open) -> None:
    page = show(good_night()).page
    table = page.get_by_role("table", name="The tables that took longest")
    button = table.get_by_role("columnheader", name="copy").get_by_role("button")

    for _ in range(2):
        button.click()
        assert names(table)[0] == "public.page_views"


def test_the_filter_leaves_the_tables_whose_names_have_its_text(show: Open) -> None:
    page = show(good_night()).page
    field = page.get_by_role("searchbox", name="Filter tables")

    field.fill("ORDER")
    assert names(changed(page)) == ["public.order_lines", "public.orders"]
    expect(page.get_by_text("2 of 9 shown")).to_be_visible()

    field.press("Control+a")
    field.press("Delete")
    assert len(names(changed(page))) == 9


def test_a_thousand_tables_are_sorted_and_filtered(show: Open) -> None:
    page = show(many_tables()).page
    table = changed(page)

    table.get_by_role("columnheader", name="Rows").get_by_role("button").click()
    page.get_by_role("searchbox").fill("table_0099")

    found = names(table)
    assert [name[13:18] for name in found] == [f"{number:05}" for number in range(999, 989, -1)]


def test_the_keyboard_opens_what_is_folded(show: Open) -> None:
    page = show(good_night()).page
    country = page.get_by_role("rowheader", name="public.countries").first
    expect(country).to_be_hidden()

    page.get_by_text("6 tables are equal on both sides").focus()
    page.keyboard.press("Enter")

    expect(country).to_be_visible()


def test_the_first_tab_leads_past_the_verdict(show: Open) -> None:
    page = show(good_night()).page

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="What needs attention")).to_be_focused()


def test_the_keyboard_stops_at_a_table_only_if_it_scrolls(show: Open) -> None:
    page = show(good_night()).page
    part = page.get_by_role("group", name="Rows written by table")
    expect(part).not_to_have_attribute("tabindex", "0")

    page.set_viewport_size({"width": 400, "height": 900})

    expect(part).to_have_attribute("tabindex", "0")


def test_a_moment_says_how_long_ago_it_was(show: Open) -> None:
    page = show(good_night()).page
    page.clock.set_fixed_time(NIGHT.replace(hour=20))
    page.reload()

    expect(page.locator(".facts")).to_contain_text("27 Nov 2026 03:00:12 UTC (17 hours ago)")


def test_a_line_that_mends_is_copied(show: Open) -> None:
    page = show(good_night(), permissions=["clipboard-read", "clipboard-write"]).page
    line = page.locator(".notice .code").first

    line.get_by_role("button", name="Copy").click()

    expect(line.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == line.locator("code").inner_text()


class TestWithoutScript:
    """The page without its script."""

    def test_everything_is_there_to_read(self, show: Open) -> None:
        page = show(good_night(), java_script_enabled=False).page

        expect(page.get_by_role("heading", level=1)).to_contain_text("Staging equals")
        assert len(names(changed(page))) == 9
        page.get_by_text("6 tables are equal on both sides").click()
        expect(page.get_by_role("rowheader", name="public.countries")).to_be_visible()

    def test_nothing_is_there_that_only_the_script_does(self, show: Open) -> None:
        page = show(good_night(), java_script_enabled=False).page

        assert page.get_by_role("button").count() == 0
        assert page.get_by_role("searchbox").count() == 0

    def test_what_is_folded_is_printed(self, show: Open) -> None:
        page = show(good_night(), java_script_enabled=False).page
        country = page.get_by_role("rowheader", name="public.countries")
        expect(country).to_be_hidden()

        page.emulate_media(media="print")

        expect(country).to_be_visible()


def test_printing_opens_what_is_folded_and_folds_it_again(show: Open) -> None:
    page = show(good_night()).page
    folded = page.locator("details:not([open])").count()
    page.evaluate(
        "addEventListener('beforeprint', () => {"
        " window.foldedInPrint = document.querySelectorAll('details:not([open])').length })"
    )

    assert page.pdf().startswith(b"%PDF")

    assert folded > 0
    assert page.evaluate("window.foldedInPrint") == 0
    assert page.locator("details:not([open])").count() == folded
