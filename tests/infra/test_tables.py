"""The tables of docs/ that `make tables` writes are what their sources say."""

import pytest

from cdk.settings.model import Settings
from cdk.settings.table import setting_fields
from cdk.tables import TABLES, Table
from tests.infra.synthesized import EXAMPLE

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.page)


@each_table
def test_the_page_has_the_table_that_its_source_gives(table: Table) -> None:
    page = table.file.read_text()

    assert page == table.put_into(page), "run `make tables`"


@each_table
def test_a_stale_table_is_replaced_and_the_rest_of_the_page_is_kept(
    table: Table,
) -> None:
    page = table.file.read_text()
    row = f"| {' | '.join(list(table.rows())[-1])} |\n"
    assert row in page

    assert table.put_into(page.replace(row, "| another | row |\n" * 2)) == page


def test_each_setting_says_what_it_means() -> None:
    assert [name for name, field in setting_fields(Settings) if not field.description] == []


def test_the_example_contains_settings_only() -> None:
    known = {name for name, _ in setting_fields(Settings)}
    assert EXAMPLE["context"]["environments"]["staging"].keys() <= known
