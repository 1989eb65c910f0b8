"""Names of tables and sequences."""

from typing import NamedTuple

from psycopg2 import sql


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
