"""Looks at a sample of each table, on the source: only counts, paths and masked values leave it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from psycopg2 import sql

from common.errors import DatabaseUnavailable, OutOfTime, StagingSyncError
from common.postgres.database import Session
from common.postgres.names import Name, TableColumn
from db_sync.compare.ranges import estimate_rows
from db_sync.mask.personal import FREE_TYPES
from db_sync.mask_plan.contents import Finding, find_look, is_personal, matches
from db_sync.mask_plan.json_columns import JsonColumn, JsonPath
from db_sync.plan.defined_types import ARRAY
from db_sync.plan.masks import MaskPlanner
from db_sync.plan.tables import PlannedColumn, TablePlan
from db_sync.sampling import ask, limited, sampled_rows
from db_sync.statements import statement

MOST_ROWS = 500
DOCUMENTS, MOST_BYTES, MOST_STEPS = 100, 65_536, 12  # of a JSON column
LOOKED_AT = 300  # characters of a value
JSON = frozenset({"json", "jsonb"})
TEXTS = FREE_TYPES - JSON - {"bytea", "tsvector", "hstore", "xml"}
# A key that looks like a field's name, with the dot before it.
FIELD_NAME, MANY_DIGITS = "^[.][A-Za-z_][A-Za-z0-9_-]{0,39}$", "[0-9].*[0-9].*[0-9]"


@dataclass(slots=True)
class Samples:
    """What the samples told.

    `findings`: columns whose values look personal; `json`: what is in JSON columns; `too_slow`:
    tables that could not be looked at in time.
    """

    findings: dict[TableColumn, Finding] = field(default_factory=dict)
    json: dict[TableColumn, JsonColumn] = field(default_factory=dict)
    too_slow: set[Name] = field(default_factory=set)


class Sampler:
    """Looks at the tables of a source, each in a savepoint, so that no lock is kept.

    Attributes:
        rows_of: the tables' estimated rows, by oid.
        samples: what they told.
    """

    def __init__(self, source: Session, tables: Sequence[TablePlan], planner: MaskPlanner) -> None:
        """Take the session, in a transaction; the tables that may be read; the rules."""
        self._source = source
        self._planner = planner
        self.samples = Samples()
        self.rows_of = dict(
            ask(
                source,
                tables,
                self.samples.too_slow,
                lambda some: estimate_rows(source, some).items(),
            )
        )

    def look(self, table: TablePlan) -> None:
        """Look at the values of the columns that nobody has decided about."""
        if table.name in self.samples.too_slow:
            return
        undecided = self._planner.review.undecided(table)
        texts = [(column, text) for column in undecided if (text := self._text(table, column))]
        try:
            if texts:
                self._count(table, texts)
            for column in undecided:
                if self._planner.review.bare_type(table, column) in JSON:
                    self._list_paths(table, column)
        except OutOfTime:
            self.samples.too_slow.add(table.name)

    def _text(self, table: TablePlan, column: PlannedColumn) -> sql.Composable | None:
        """Return a column's text, or its first element's; None if it has none."""
        type_ = self._planner.review.bare_type(table, column)
        value: sql.Composable = sql.Identifier("t", column.name)
        if type_.endswith(ARRAY):
            value = sql.SQL("({})[1]").format(value)
        if type_.removesuffix(ARRAY) not in TEXTS:
            return None
        return sql.SQL("pg_catalog.left({}::text, {})").format(value, sql.Literal(LOOKED_AT))

    def _count(
        self, table: TablePlan, texts: Sequence[tuple[PlannedColumn, sql.Composable]]
    ) -> None:
        values = sql.SQL(", ").join(
            sql.SQL("({}, {})").format(sql.Literal(number), text)
            for number, (_, text) in enumerate(texts)
        )
        query = statement(
            "mask_plan/count_personal_values",
            {
                "matches": matches(sql.SQL("texts.value")),
                "rows": self.rows(table),
                "values": values,
            },
        )
        with limited(self._source):
            counted = self._source.rows(query)
        for number, filled, matching in counted:
            if found := find_look(filled, matching):
                column, _ = texts[number]
                self.samples.findings[TableColumn(table.name, column.name)] = found

    def _list_paths(self, table: TablePlan, column: PlannedColumn) -> None:
        value = sql.SQL("texts.value")
        query = statement(
            "mask_plan/list_json_paths",
            {
                "value": sql.Identifier("t", column.name),
                "rows": self.rows(table),
                "most": sql.Literal(DOCUMENTS),
                "most_bytes": sql.Literal(MOST_BYTES),
                "most_steps": sql.Literal(MOST_STEPS),
                "field_name": sql.Literal(FIELD_NAME),
                "many_digits": sql.Literal(MANY_DIGITS),
                "matches": matches(value),
                "is_personal": is_personal(value),
            },
        )
        try:
            with limited(self._source):
                paths = self._source.records(query, None, JsonPath)
        except (DatabaseUnavailable, OutOfTime):
            raise
        except StagingSyncError:  # a json value that is no jsonb, as one with \u0000
            paths = []
        if paths:
            at = TableColumn(table.name, column.name)
            self.samples.json[at] = JsonColumn.of_paths(paths)

    def rows(self, table: TablePlan) -> sql.Composable:
        """Return a sample of a table's rows as the FROM item `t`."""
        estimated = self.rows_of.get(table.source.oid, 0)
        return sql.SQL("{} t").format(sampled_rows(table.source, estimated, MOST_ROWS))


def readable(tables: Iterable[TablePlan]) -> list[TablePlan]:
    """Return the tables of which our role may read every row."""
    return [table for table in tables if table.source.rights.may_read_all]
