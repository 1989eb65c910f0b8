"""Writes the tables of docs/ whose sources are in cdk/: `make tables`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from cdk import permissions
from cdk.settings import table as settings_table

DOCS = Path(__file__).resolve().parents[1] / "docs"


@dataclass(frozen=True, slots=True)
class Table:
    """A table in a page of docs/, which follows a comment that names its source."""

    page: str
    source: str
    header: Sequence[str]
    rows: Callable[[], Iterable[Sequence[str]]]

    @property
    def file(self) -> Path:
        """The page's file."""
        return DOCS / self.page

    def put_into(self, text: str) -> str:
        """Return the page's text with the table as its source has it now."""
        lines = text.splitlines()
        begin = lines.index(f"<!-- `make tables` writes this table from {self.source}. -->") + 1
        rest = dropwhile(lambda line: line.startswith("|"), lines[begin:])
        return "\n".join([*lines[:begin], *self._lines(), *rest, ""])

    def _lines(self) -> list[str]:
        rows = [self.header, ["---"] * len(self.header), *self.rows()]
        return [f"| {' | '.join(row)} |" for row in rows]


TABLES = (
    Table(
        "deployment.md",
        "cdk/settings/fields.py",
        settings_table.HEADER,
        settings_table.setting_rows,
    ),
    Table(
        "security.md",
        "cdk/permissions.toml",
        permissions.HEADER,
        lambda: (permission.cells for permission in permissions.read_permissions()),
    ),
)


def main() -> None:
    """Write each table into its page."""
    for table in TABLES:
        table.file.write_text(table.put_into(table.file.read_text()))


if __name__ == "__main__":
    main()
