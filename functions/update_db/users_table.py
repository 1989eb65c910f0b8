"""The table that holds the application's users, and its two columns that matter here."""

from dataclasses import dataclass
from typing import Self

from psycopg2 import sql

from common.database import Session
from common.errors import ConfigurationError
from common.names import Name
from common.queries import load_query
from common.unlink import unlinked_value

NAME_PARTS = 2  # schema.table
# What strays into an address on either side of it; not only the blank that btrim takes.
BLANKS = " \t\n\r\f\v\u00a0"


def normalized(email: sql.Composable) -> sql.Composable:
    """Return the SQL for an email trimmed and in lower case, alike for pool and table.

    The collation is named, since a column's own (or citext's) may lower other letters.
    """
    return sql.SQL('lower(btrim({}::text, {}) COLLATE "default")').format(
        email, sql.Literal(BLANKS)
    )


@dataclass(frozen=True, slots=True)
class UsersTable:
    """The users table's name, the column to match by, and the column to set."""

    name: Name
    email_column: str
    sub_column: str

    @classmethod
    def of(cls, table: str, email_column: str, sub_column: str) -> Self:
        """Return the table of that name, which is `schema.table`.

        Raises:
            ConfigurationError: it is not of that form.
        """
        parts = table.split(".")
        if len(parts) != NAME_PARTS or not all(parts):
            raise ConfigurationError(f'USERS_TABLE is "{table}"; it must be "schema.table".')
        return cls(Name(*parts), email_column, sub_column)

    def statement_parts(self, target: Session) -> dict[str, sql.Composable]:
        """Return what the remap's statements name, after a look at the table.

        Raises:
            ConfigurationError: the table or one of its columns does not exist.
        """
        columns = {
            name: (base_type, is_required)
            for name, base_type, is_required in target.rows(
                load_query("update_db", "read_columns"),
                {
                    "schema": self.name.schema,
                    "table": self.name.name,
                    "columns": [self.email_column, self.sub_column],
                },
            )
        }
        missing = sorted({self.email_column, self.sub_column} - columns.keys())
        if missing:
            raise ConfigurationError(
                f"{self.name} on the target {target.address} is no table with the column"
                f" {' and '.join(missing)}. Correct users_table, email_column or sub_column in"
                " cdk.json, or run the migrations. Nothing was written."
            )
        base_type, is_required = columns[self.sub_column]
        return {
            "users": self.name.identifier,
            "sub": sql.Identifier(self.sub_column),
            "sub_type": sql.SQL(base_type),  # format_type's own, quoted by the server
            "unlinked": unlinked_value(is_required=is_required, base_type=base_type),
            "row_email": normalized(sql.Identifier("u", self.email_column)),
            "pool_email": normalized(sql.Identifier("email")),
        }
