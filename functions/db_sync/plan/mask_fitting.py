"""What a mask must fit: a column's type, length and uniqueness; and why one cannot."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import sql

from common.masking.emails import LEAST_DIGITS, digits_of
from db_sync.mask.expressions import HASH_DIGITS, INTEGER_HASHES, OUTERMOST, Value, masked
from db_sync.mask.kinds import UNASSIGNED, UNIQUE, MaskRule
from db_sync.plan.catalog import Catalogs, Column, TypeName
from db_sync.plan.defined_types import ARRAY, TEXTS, are_same, element_of, without_domains
from db_sync.plan.tables import PlannedColumn, TablePlan
from db_sync.statements import names

# Types with a length, in domains too, and those without one that are sent in their place.
UNCUT = {"character varying": "text", "character varying[]": "character varying[]"}
INTEGERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
GREATEST = {**{name: str(most) for name, most in INTEGERS.items()}, "real": "3.4028235e38"}
GREATEST |= {
    "double precision": "1.7976931348623157e308",
    "money": "92233720368547758",
    "numeric": "1e1000",
}
INETS = frozenset({"inet", "cidr"})
# The types that each kind masks; those that are missing here mask any.
TYPES = {
    "hash": TEXTS | INTEGER_HASHES.keys() | {"bytea"},
    "email": TEXTS,
    "phone": TEXTS,
    "name": TEXTS,
    "text": TEXTS,
    "number": frozenset(GREATEST),
    "date": frozenset(OUTERMOST),
    "ip": TEXTS | INETS,
    "uuid": TEXTS | {"uuid"},
    "json": frozenset({"json", "jsonb"}),
}
# These mask an array element by element; the result has one dimension.
OF_ELEMENTS = frozenset({"hash", "email", "phone", "name", "text", "number", "date", "ip", "uuid"})
UUID_LENGTH = 36
LEAST_PHONE_DIGITS = 4
# Bits of a hash that are not a text's, whose digits have four each.
BITS = {"bigint": 63, "integer": 31, "smallint": 15, "bytea": 128, "uuid": 120}
# Beyond what keeps two of the rows from having one mask half of the time: one chance in 500,000.
SPARE_BITS = 20
MODIFIER = re.compile(r"\((\d+)(?:,(-?\d+))?\)")


@dataclass(frozen=True, slots=True)
class MaskedColumn:
    """A column with the rule by which it is masked."""

    plan: TablePlan
    column: PlannedColumn
    rule: MaskRule
    catalogs: Catalogs
    tag: str

    @property
    def _source(self) -> Column:
        return self.plan.source.columns[self.column.name]

    @property
    def _target(self) -> Column:
        return self.plan.target.columns[self.column.name]

    @property
    def _has_own_type(self) -> bool:
        """Whether the target defines the type, and the source has the same."""
        target = self._target.base_type
        return target in self.catalogs.target.types and are_same(
            self._source.base_type, target, self.catalogs
        )

    @property
    def cast(self) -> str:
        """The type of the masked value: the target's as the source names it, with its length.

        A text's is without one: it must be refused if it is too long, and a cast would cut it. A
        domain's is its base type: the target's checks count.
        """
        bare = self._bare
        if bare.base_type in UNCUT:
            return UNCUT[bare.base_type]
        if self._has_own_type and bare.base_type in self.catalogs.target.types:
            return self._source.base_type
        return "text" if bare.base_type in TEXTS else bare.type

    @property
    def _bare(self) -> TypeName:
        return without_domains(self._target, self.catalogs.target.types)

    @property
    def _is_array(self) -> bool:
        return self._bare.base_type.endswith(ARRAY)

    @property
    def _element(self) -> TypeName:
        """The type that the mask is of: the elements', where it masks an array's elements."""
        bare = self._bare
        if self._is_array and self.rule.kind in OF_ELEMENTS:
            return element_of(bare, self.catalogs.target.types)
        return bare

    @property
    def type(self) -> str:
        """That type's name, without a length; "citext" whatever its schema."""
        name = self._element.base_type
        defined = self.catalogs.target.types.get(name)
        return "citext" if defined and defined.name == defined.extension == "citext" else name

    @property
    def most_characters(self) -> int | None:
        """How long a text may be on both sides; None: any length."""
        sides = [self._element.type]
        if self._has_own_type:  # the cast is to the source's type, which may be shorter
            sides.append(without_domains(self._source, self.catalogs.source.types).type)
        lengths = [int(found[1]) for side in sides if (found := MODIFIER.search(side))]
        return min(lengths, default=None) if self.type in TEXTS else None

    @property
    def is_unique(self) -> bool:
        """Whether values, or what the target computes from them, must stay unique.

        Alone, or together with other columns.
        """
        return self._target.is_unique or any(
            each.is_unique and self.column.name in each.computed_from
            for each in self.plan.target.columns.values()
        )

    @property
    def bits(self) -> int:
        """How many bits of the digest a value of a unique kind has."""
        if self.rule.kind == "email":
            return 4 * digits_of(self.most_characters)
        if self.rule.kind == "uuid":
            return BITS["uuid"]
        return BITS.get(self.type, 4 * min(HASH_DIGITS, self.most_characters or HASH_DIGITS))

    def misfits(self) -> Iterator[str]:
        """Yield why the rule cannot hold for the column."""
        kind = self.rule.kind
        if self.type not in TYPES.get(kind, {self.type}):
            yield f"the column is {self._target.type}, which this kind does not mask"
            return
        if kind == "null" and (self.column.is_required or self.column.name in self.plan.target.key):
            yield "the column is NOT NULL"
        if kind != "null" and self.is_unique and kind not in UNIQUE:
            yield (
                "the column is unique, alone or together with others, and only the kinds hash,"
                " email and uuid keep it so"
            )
        if self._is_array and self.is_unique and kind in UNIQUE:
            yield "the column is a unique array, whose dimensions a mask does not keep"
        if self.type in INTEGERS and self.rule.options.get("within", 1) < 1:
            yield f'the column is {self._target.type}, which "within" less than 1 does not change'
        yield from self._too_short()

    def _too_short(self) -> Iterator[str]:
        kind, most = self.rule.kind, self.most_characters
        if most is None:
            return
        least = {
            "email": most - digits_of(most) + LEAST_DIGITS,
            "phone": len(self.rule.options.get("prefix", UNASSIGNED)) + LEAST_PHONE_DIGITS,
            "uuid": UUID_LENGTH,
            "fixed": len(str(self.rule.options.get("value"))),
        }.get(kind, 0)
        if most < least:
            yield f"the column is {self._target.type}, and such a mask has {least} characters"

    def expression(self) -> sql.Composable:
        """Return the SQL for the masked value of row `t` of the source."""
        value: sql.Composable = sql.Identifier("t", self.column.name)
        if self.rule.kind == "sql":
            expression = self._of_row(self.rule.options["expression"])
        elif self._is_array and self.rule.kind in OF_ELEMENTS:
            expression = self._of_elements(self._converted(value))
        else:
            expression = masked(self.rule, self._value(self._converted(value)))
        return sql.SQL("CAST({} AS {})").format(expression, sql.SQL(self.cast))

    def is_present(self) -> sql.Composable:
        """Return the condition that the target's row `t` is masked by this email rule and key."""
        return self.rule.email.is_masked(
            sql.Identifier("t", self.column.name), self.tag, digits_of(self.most_characters)
        )

    def _converted(self, value: sql.Composable) -> sql.Composable:
        conversion = self.column.conversion
        return sql.SQL(conversion).format(value) if conversion else value

    def _value(self, expression: sql.Composable) -> Value:
        return Value(
            expression,
            self.type,
            self.most_characters,
            self._greatest(),
            self.catalogs.source.facts.lower_case,
            self.tag,
        )

    def _greatest(self) -> str:
        modifier = MODIFIER.search(self._element.type)
        if self.type == "numeric" and modifier:
            digits, scale = int(modifier[1]), int(modifier[2] or 0)
            return f"(1e{digits - scale} - 1e{-scale})"
        return GREATEST.get(self.type, "0")

    def _of_elements(self, array: sql.Composable) -> sql.Composable:
        element = self._value(sql.Identifier("staging_sync_elements", "element"))
        return sql.SQL(
            "CASE WHEN {array} IS NOT NULL THEN ARRAY(SELECT {masked} FROM"
            " pg_catalog.unnest({array}) WITH ORDINALITY staging_sync_elements (element, number)"
            " ORDER BY number) END"
        ).format(array=array, masked=masked(self.rule, element))

    def _of_row(self, expression: str) -> sql.Composable:
        """Return an expression of the team's, which sees the row's columns and nothing else."""
        return sql.SQL("(SELECT ({}\n) FROM (SELECT {}) staging_sync_row)").format(
            sql.SQL(naming_column(expression, self.column.name)),
            names(self.plan.source.columns, "t"),
        )


def bits_to_stay_unique(rows: int) -> int:
    """Return how many bits of a digest the masked values of so many rows need to stay unique."""
    return math.ceil(2 * math.log2(max(rows, 1))) + SPARE_BITS


def naming_column(expression: str, column: str) -> str:
    """Return an expression of a rule of the kind "sql" with the column's name put in."""
    return expression.replace("{column}", '"' + column.replace('"', '""') + '"')
