"""The names that a message may repeat: those that are in the catalog.

An application's function can raise any error with any text in any field (RAISE … USING TABLE =
'jane@example.com'). After an error the transaction can run no query, so that the names are read at
its beginning.
"""

import re
from dataclasses import dataclass

from psycopg2.extensions import Diagnostics

# If a value does not fit, COPY names the column in the error's context only, followed by the value
# if that came as text. Only a context that starts like this is read, and only up to the column's
# name: text before it would be an application's, and what follows it is data.
COPY_COLUMN = re.compile(
    r"COPY (?:(?!, line \d).)+, line \d+, column ([^:\"\n]+)(?:: (?:\"|null)|\n|$)"
)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names of a database, each with its kind and schema, as list_names.sql returns them.

    A column's and a constraint's have no schema.
    """

    names: frozenset[tuple[str, str, str]] = frozenset()

    def named_in(self, diagnostics: Diagnostics) -> str:
        """Return ", table …, constraint …": what an error reports, if the catalog has that name."""
        schema = diagnostics.schema_name or ""
        copied = COPY_COLUMN.match(diagnostics.context or "")
        named = (
            ("table", schema, diagnostics.table_name),
            ("column", "", diagnostics.column_name or (copied and copied[1])),
            ("type", schema, diagnostics.datatype_name),
            ("constraint", "", diagnostics.constraint_name),
        )
        return "".join(
            f", {kind} {f'{schema}.' if schema else ''}{name}"
            for kind, schema, name in named
            if name and (kind, schema, name) in self.names
        )
