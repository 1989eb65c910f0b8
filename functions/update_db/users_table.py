"""The application's users table, and its columns with the email and the sub."""

from dataclasses import dataclass
from typing import Self

from psycopg2 import sql

from common.emails import BYTEWISE, find_collation
from common.errors import ConfigurationError
from common.masking.emails import BESIDE, LEAST_DIGITS, digits_of
from common.postgres.database import Session
from common.postgres.names import Name, split_name
from common.postgres.queries import load_query
from common.postgres.unlink import unlinked_value
from update_db.masked_emails import EmailMasking, Parts, plain_parts
from update_db.people import is_person, require_condition

NAME_PARTS = 2  # schema.table
# pg_type.typcategory: https://www.postgresql.org/docs/current/catalog-pg-type.html
ARRAYS_COMPOSITES_AND_RANGES = frozenset("ACR")
STRINGS = "S"
# Types of other categories that do not hold a single text either.
STRUCTURED = frozenset({"bytea", "hstore", "json", "jsonb", "tsvector", "xml"})


@dataclass(frozen=True, slots=True)
class UsersTable:
    """The users table's name, the column to match by, and the column to set.

    `where` is the SQL condition for rows that are people; if it is empty, all rows are. `masking`
    is how the sync masks the emails; None if it does not.
    """

    name: Name
    email_column: str
    sub_column: str
    where: str = ""
    masking: EmailMasking | None = None

    @classmethod
    def of(
        cls,
        table: str,
        email_column: str,
        sub_column: str,
        where: str = "",
        masking: EmailMasking | None = None,
    ) -> Self:
        """Return the table whose name is given as `schema.table`.

        Raises:
            ConfigurationError: the name does not have that form.
        """
        parts = split_name(table)
        if len(parts) != NAME_PARTS:
            raise ConfigurationError(f'USERS_TABLE is "{table}"; it must be "schema.table".')
        return cls(Name(*parts), email_column, sub_column, where, masking)

    def statement_parts(self, target: Session) -> Parts:
        """Check the table, and return the SQL parts of the remap's statements.

        Raises:
            ConfigurationError: the table or one of the columns does not exist or has the wrong
                type, the column with the email is too short for a masked address, or `where` is
                not a condition.
        """
        columns = self._read_columns(target)
        self._require_texts(target, columns)
        if self.where:
            require_condition(target, self.name, self.where)
        return {
            "users": self.name.identifier,
            "is_person": is_person(self.name, self.where),
            "sub": sql.Identifier(self.sub_column),
            "row_sub": sql.SQL("(u.{}::text {})").format(sql.Identifier(self.sub_column), BYTEWISE),
            **columns[self.sub_column].statement_parts(),
            **self._email_parts(target, columns[self.email_column]),
        }

    def _email_parts(self, target: Session, column: "_Column") -> Parts:
        """Return the parts with the emails, masked if the sync masks them."""
        email, collation = sql.Identifier("u", self.email_column), find_collation(target)
        if self.masking is None:
            return plain_parts(email, collation)
        digits = digits_of(column.most_characters)
        if digits < LEAST_DIGITS:
            raise ConfigurationError(
                f"The column {self.email_column} of {self.name} is {column.type}, too short for a"
                f" masked address, which has {BESIDE + LEAST_DIGITS}"
                " characters. Make it longer, on both sides. Nothing was written."
            )
        return self.masking.statement_parts(email, collation, digits)

    def _read_columns(self, target: Session) -> "dict[str, _Column]":
        """Return both columns, by their names."""
        found = target.records(
            load_query("update_db", "read_columns"),
            {
                "schema": self.name.schema,
                "table": self.name.name,
                "columns": [self.email_column, self.sub_column],
            },
            _Column,
        )
        columns = {column.name: column for column in found}
        missing = sorted({self.email_column, self.sub_column} - columns.keys())
        if missing:
            raise ConfigurationError(
                f"{self.name} on the target {target.address} is no table with the column"
                f" {' and '.join(missing)}. Correct users_table, email_column or sub_column in"
                " cdk.json, or run the migrations. Nothing was written."
            )
        return columns

    def _require_texts(self, target: Session, columns: "dict[str, _Column]") -> None:
        """Refuse an email column that holds no single text, and a sub column that holds no sub."""
        email, sub = columns[self.email_column], columns[self.sub_column]
        faults = []
        if not email.holds_a_text:
            faults.append(
                f"column {self.email_column} is {email.type}, which holds no single text to match"
                " by; name the one with the address in email_column"
            )
        if not sub.holds_a_sub:
            faults.append(
                f"column {self.sub_column} is {sub.type}, which holds no sub; it must be text,"
                " varchar(36) or longer, or uuid"
            )
        elif sub.is_generated:
            faults.append(
                f"column {self.sub_column} is generated, so that it cannot be written; name the"
                " column that it is generated from in sub_column"
            )
        if faults:
            raise ConfigurationError(
                f"The table {self.name} on the target {target.address} cannot be remapped:"
                f" {'; '.join(faults)}. Nothing was written."
            )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column and its type, as format_type writes it, quoted for SQL."""

    name: str
    type: str  # with its modifier, as in varchar(36)
    type_of_any_length: str
    base_type: str  # of a domain, without a length; otherwise the type itself
    category: str  # the base type's
    most_characters: int | None  # None: any number
    is_required: bool
    is_generated: bool

    @property
    def holds_a_text(self) -> bool:
        """Whether a value is one text, and neither a structure nor bytes."""
        is_structured = self.base_type.rpartition(".")[2] in STRUCTURED
        return self.category not in ARRAYS_COMPOSITES_AND_RANGES and not is_structured

    @property
    def holds_a_sub(self) -> bool:
        """Whether a value can be a sub, which is a UUID as text."""
        return self.category == STRINGS or self.base_type == "uuid"

    def statement_parts(self) -> Parts:
        """Return the type to cast a sub to, and the values that replace a sub that is taken away.

        A cast to a type with a length cuts a value: an unlinked value is unique even then, while a
        sub that does not fit must be refused.
        """
        unlinked = unlinked_value(is_required=self.is_required, base_type=self.base_type)
        return {
            "sub_type": sql.SQL(self.type_of_any_length),
            "exact_type": sql.SQL(self.type),
            "unlinked": sql.SQL("CAST({} AS {})").format(unlinked, sql.SQL(self.type)),
            "placeholder": sql.SQL("CAST(gen_random_uuid()::text AS {})").format(
                sql.SQL(self.type)
            ),
        }
