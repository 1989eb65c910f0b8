"""Which names an error may repeat: those that the catalog has.

An application's function can raise any error with any words in any field (RAISE … USING TABLE =
'jane@example.com'). When an error is there its transaction can ask nothing any more, so that the
names are read when it begins.
"""

import re
from dataclasses import dataclass

from psycopg2.extensions import Diagnostics

# Where a value did not fit, COPY tells the column in its context only, followed by the value if it
# came as text.
# Only a context that begins like this is read, and only up to the column's name: what stands
# before it would be an application's, and what comes after it is data.
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
        """Return ", table …, constraint …" as far as an error says it and the catalog has it."""
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
