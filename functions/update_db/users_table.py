"""The table that holds the application's users, and its two columns that matter here."""

from dataclasses import dataclass
from typing import Self

from psycopg2 import sql

from common.database import Session
from common.emails import BLANKS, BYTEWISE, find_collation, normalized
from common.errors import ConfigurationError
from common.names import Name
from common.queries import load_query
from common.unlink import unlinked_value

NAME_PARTS = 2  # schema.table


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
            row[0]: _Column(*row[1:])
            for row in target.rows(
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
        collation = find_collation(target)
        return {
            "users": self.name.identifier,
            "sub": sql.Identifier(self.sub_column),
            "row_sub": sql.SQL("(u.{}::text {})").format(sql.Identifier(self.sub_column), BYTEWISE),
            **columns[self.sub_column].statement_parts(),
            "row_email": normalized(sql.Identifier("u", self.email_column), collation),
            "pool_email": normalized(sql.Identifier("email"), collation),
            "has_no_email": sql.SQL("coalesce(btrim(email, {}), '') = ''").format(
                sql.Literal(BLANKS)
            ),
        }


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's type, in format_type's words, which the server has quoted."""

    type: str  # with its modifier, as in varchar(36)
    type_of_any_length: str
    base_type: str  # what a domain is made of; of any length
    is_required: bool

    def statement_parts(self) -> dict[str, sql.Composable]:
        """Return the type to cast a sub to, and what a sub becomes that is taken away or changes.

        A cast to a length cuts a value to it: what is left of an unlinked value is unique
        still, while a sub must be refused where it does not fit.
        """
        unlinked = unlinked_value(is_required=self.is_required, base_type=self.base_type)
        return {
            "sub_type": sql.SQL(self.type_of_any_length),
            "unlinked": sql.SQL("CAST({} AS {})").format(unlinked, sql.SQL(self.type)),
            "placeholder": sql.SQL("CAST(gen_random_uuid()::text AS {})").format(
                sql.SQL(self.type)
            ),
        }
