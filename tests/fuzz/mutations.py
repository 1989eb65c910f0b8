"""Random changes of rows as statements; those that fail are skipped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.fuzz.schemas import Column, Table

MANY = 400  # rows, for a table whose ranges are compared one by one
SWAP = """DO $$ DECLARE one record; two record; BEGIN
    SELECT tableoid AS part, ctid AS place, {column} AS value INTO STRICT one
    FROM {table} t ORDER BY t::text OFFSET {first} LIMIT 1;
    SELECT tableoid AS part, ctid AS place, {column} AS value INTO STRICT two
    FROM {table} t ORDER BY t::text OFFSET {second} LIMIT 1;
    UPDATE {table} SET {column} = {free} WHERE (tableoid, ctid) = (one.part, one.place)
    RETURNING tableoid, ctid INTO one.part, one.place;
    UPDATE {table} SET {column} = one.value WHERE (tableoid, ctid) = (two.part, two.place);
    UPDATE {table} SET {column} = two.value WHERE (tableoid, ctid) = (one.part, one.place);
END $$"""


@dataclass(frozen=True, slots=True)
class Mutator:
    """Creates statements for the tables of a schema."""

    random: Random
    tables: Sequence[Table]

    def insertions(self) -> list[str]:
        """Return statements that insert the first rows, parents first except in cycles."""
        found = []
        for table in self.tables:
            found += [self._insert(table) for _ in range(self.random.randint(4, 16))]
            if self.random.random() < 0.15:
                found.append(self._insert_many(table))
        return found

    def change(self) -> str:
        """Return a statement that changes some rows."""
        changes: tuple[Callable[[Table], str], ...] = (
            *(self._insert, self._insert, self._update, self._update, self._update),
            *(self._delete, self._delete, self._replace, self._move_key, self._swap),
            *(self._update_all, self._insert_many, self._delete_all, self._move_all),
            *(self._number, self._copy_from_another),
        )
        weights = (3, 3, 3, 3, 2, 3, 3, 3, 4, 3, 1, 1, 1, 2, 1, 1)
        (chosen,) = self.random.choices(changes, weights)
        return chosen(self._table())

    def _table(self) -> Table:
        """Return a table, preferring those that others reference."""
        parents = {key.parent for table in self.tables for key in table.foreign_keys}
        if parents and self.random.random() < 0.5:
            return self.random.choice([each for each in self.tables if each.name in parents])
        return self.random.choice(self.tables)

    def violation(self) -> str:
        """Return a statement that breaks a foreign key, if it is not checked."""
        table = self.random.choice(self.tables)
        if table.foreign_keys and self.random.random() < 0.6:
            key = self.random.choice(table.foreign_keys)
            column = table.column(self.random.choice(key.columns))
            return self._set(table, [column], self._any_value)
        return self._delete(table)

    def _insert(self, table: Table) -> str:
        columns = [column for column in table.columns if not column.is_filled]
        if "nextval" in columns[0].rest or "IDENTITY" in columns[0].rest:
            columns = columns[self.random.randint(0, 1) :]
        parent = self._parent()
        values = ", ".join(self._value(table, column, parent) for column in columns)
        return (
            f"INSERT INTO {table.name} ({_names(columns)}) OVERRIDING SYSTEM VALUE"
            f" VALUES ({values})"
        )

    def _insert_many(self, table: Table) -> str:
        columns = [column for column in table.columns if not column.is_filled]
        parent = self._parent()
        values = ", ".join(
            self._value(table, column, parent)
            if column.name.startswith("r")
            else column.type.numbered
            for column in columns
        )
        first = self.random.choice((20, 200, 1000))
        last = first + self.random.choice((15, 60, MANY))
        return (
            f"INSERT INTO {table.name} ({_names(columns)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {values} FROM generate_series({first}, {last}) g"
        )

    def _update(self, table: Table) -> str:
        columns = [column for column in table.columns if not column.is_filled]
        chosen = self.random.sample(columns, min(len(columns), self.random.choice((1, 1, 2))))
        parent = self._parent()
        return self._set(table, chosen, lambda column: self._value(table, column, parent))

    def _move_key(self, table: Table) -> str:
        """Change one row's key, or another unique value, and not the rows that reference it."""
        columns = [table.column(name) for name in self._unique(table)]
        return self._set(table, columns[:1], self._any_value)

    def _set(self, table: Table, columns: Sequence[Column], value: Callable[[Column], str]) -> str:
        values = ", ".join(f"{column.name} = {value(column)}" for column in columns)
        return f"UPDATE {table.name} t SET {values} WHERE {self._one_of(table)}"

    def _move_all(self, table: Table) -> str:
        """Change every row's key at once."""
        column = table.column(self._unique(table)[0])
        if column.type.literals[0] == "0":
            return f"UPDATE {table.name} SET {column.name} = {column.name} + 1000"
        return f"UPDATE {table.name} SET {column.name} = {column.name} || 'x'"

    def _swap(self, table: Table) -> str:
        """Swap two rows' values of a unique key, deferrable or not."""
        name = self._unique(table)[0]
        first, second = self.random.sample(range(4), 2)
        parts = {
            "table": table.name,
            "column": name,
            "free": self._any_value(table.column(name)),
            "first": first,
            "second": second,
        }
        return SWAP.format(**parts)

    def _update_all(self, table: Table) -> str:
        column = self.random.choice([each for each in table.columns if not each.is_filled])
        value = self._value(table, column, self._parent())
        return f"UPDATE {table.name} t SET {column.name} = {value}"

    def _delete(self, table: Table) -> str:
        return f"DELETE FROM {table.name} t WHERE {self._one_of(table)}"

    def _delete_all(self, table: Table) -> str:
        return self.random.choice(
            (
                f"DELETE FROM {table.name}",
                f"TRUNCATE {table.name} CASCADE",
                f"TRUNCATE {table.name}",
            )
        )

    def _replace(self, table: Table) -> str:
        """Delete a row and insert one that may have its unique values."""
        return f"{self._delete(table)}; {self._insert(table)}"

    def _copy_from_another(self, table: Table) -> str:
        """Copy a value from another row."""
        column = self.random.choice([each for each in table.columns if not each.is_filled])
        value = f"(SELECT {column.name} FROM {table.name} t WHERE {self._one_of(table)})"
        return self._set(table, [column], lambda _: value)

    def _number(self, _: Table) -> str:
        """Advance or set the sequence that tables share."""
        return self.random.choice(
            (
                "SELECT nextval('numbers')",
                "SELECT setval('numbers', 40)",
                "SELECT setval('numbers', 5, false)",
            )
        )

    def _unique(self, table: Table) -> tuple[str, ...]:
        """Return the columns of one of a table's unique keys without generated columns."""
        keys = [key.columns for key in table.uniques if not table.column(key.columns[0]).is_filled]
        return self.random.choice(keys) if keys else ("id",)

    def _value(self, table: Table, column: Column, parent: int) -> str:
        """Return an SQL value for a column; for a foreign key's, usually that of a parent's row."""
        for key in table.foreign_keys:
            if column.name in key.columns and self.random.random() < 0.85:
                parents = dict(zip(key.columns, key.parent_columns, strict=True))
                return (
                    f"(SELECT {parents[column.name]} FROM {key.parent} p"
                    f" ORDER BY p::text OFFSET {parent} LIMIT 1)"
                )
        if column.name != "id" and self.random.random() < 0.12:
            return "NULL"
        return self._any_value(column)

    def _any_value(self, column: Column) -> str:
        if self.random.random() < 0.3:
            number = self.random.randint(0, 99)
            return f"(SELECT {column.type.numbered} FROM (SELECT {number}) AS n (g))"
        return self.random.choice(column.type.literals)

    def _parent(self) -> int:
        """Return which parent a row references: one of a few, so that some have many children."""
        return self.random.choice((0, 0, 0, 1, 2))

    def _one_of(self, table: Table) -> str:
        """Return the condition that `t` is a certain row, the same on both sides."""
        return f"(t.tableoid, t.ctid) = {self._row(table)}"

    def _row(self, table: Table) -> str:
        number = self.random.choice((0, 0, 0, 1, 1, 2, 3, 6))
        return (
            f"(SELECT o.tableoid, o.ctid FROM {table.name} o"
            f" ORDER BY o::text OFFSET {number} LIMIT 1)"
        )


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)
