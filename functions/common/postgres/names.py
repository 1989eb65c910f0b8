"""Names of tables and sequences."""

import re
from typing import NamedTuple

from psycopg2 import sql

# A part of a name is written as it is, or in double quotes if it contains a dot, as in SQL.
PART = re.compile(r'"(?:[^"]|"")+"(?=\.|$)|[^.]+')


class Name(NamedTuple):
    """A table's or sequence's name with its schema."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The name, quoted for SQL."""
        return sql.Identifier(self.schema, self.name)


class TableColumn(NamedTuple):
    """A column, named with its table."""

    table: Name
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def join_name(*parts: str) -> str:
    """Return a dotted name that `split_name` splits into these parts."""
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or part.startswith('"') else part
        for part in parts
    )


def split_name(text: str) -> list[str]:
    """Return the parts of a dotted name, without their quotes; none if the name is malformed.

    Unlike in SQL, a part without quotes keeps its capital letters, as in `public.SequelizeMeta`.
    """
    parts: list[str] = []
    at = 0
    while found := PART.match(text, at):
        part = found[0]
        parts.append(part[1:-1].replace('""', '"') if part.startswith('"') else part)
        at = found.end()
        if at == len(text):
            return parts
        if text[at] != ".":
            break
        at += 1
    return []
