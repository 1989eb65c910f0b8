"""Random tables, rows and edits: after a sync both sides are identical, and a second finds so."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Databases, Pair
from tests.integration.db_sync.syncing import assert_same, sync

# SQL literals by type: small alphabets, so that values meet, and the awkward ones of each type.
VALUES: dict[str, st.SearchStrategy[str]] = {
    "int": st.integers(-3, 70).map(str),
    "bigint": st.sampled_from(["-9223372036854775808", "0", "1", "9223372036854775807"]),
    "numeric": st.sampled_from(["1.0", "1.00", "0", "-0.0", "'NaN'", "1e20", "'Infinity'"]),
    "float8": st.sampled_from(["0", "'-0'", "'NaN'", "0.1", "'-Infinity'", "1e300"]),
    "text": st.sampled_from(["''", "'a'", "'A'", "'a '", r"E'\\N'", r"E'\t\n'", "'ü'", "'{,}'"]),
    "char(3)": st.sampled_from(["''", "'a'", "'a '", "'abc'"]),
    "bpchar": st.sampled_from(["''", "'a'", "'a '"]),
    "boolean": st.sampled_from(["true", "false"]),
    "bytea": st.sampled_from([r"'\x'", r"'\x00'", r"'\x5c'"]),
    "interval": st.sampled_from(["'1 month'", "'30 days'", "'720 hours'"]),
    "timestamptz": st.sampled_from(["'infinity'", "'2020-01-01 00:00+00'", "'0044-03-15 BC'"]),
    "jsonb": st.sampled_from(["'null'", "'{}'", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"]),
    "json": st.sampled_from(["'{}'", "'{ }'", '\'{"a":1,"a":2}\'']),
    "int[]": st.sampled_from(["'{}'", "'{1,NULL}'", "'[0:1]={1,2}'", "'{{1},{2}}'"]),
    "numrange": st.sampled_from(["'empty'", "'[1,2)'", "'[1.0,2)'", "'(,)'"]),
    "uuid": st.sampled_from([f"'{digit * 8}-0000-0000-0000-000000000000'" for digit in "01f"]),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, str]:
    """Return a table's definition, and the rows of source and target as INSERTs."""
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=5))
    kinds = ["by value", "by hash", "none"]
    if types[0] != "json":  # which no index orders
        kinds.append("composite")
    kind = draw(st.sampled_from(kinds))
    key = {"by value": "id int PRIMARY KEY", "by hash": "id text PRIMARY KEY"}.get(kind, "id int")
    columns = [key, *(f"c{number} {of_type}" for number, of_type in enumerate(types))]
    if kind == "composite":
        columns[1] += " NOT NULL"
        columns.append("PRIMARY KEY (id, c0)")
    row = st.tuples(*(VALUES[of_type] for of_type in types)).map(", ".join)
    rows = st.dictionaries(st.integers(-200, 200), row, max_size=25)
    source = draw(rows)
    target = {
        key: draw(st.sampled_from([source.get(key, value), value]))
        for key, value in draw(rows).items()
    }
    return f"CREATE TABLE t ({', '.join(columns)})", _insert(source), _insert(target)


def _insert(rows: dict[int, str]) -> str:
    return "".join(f"INSERT INTO t VALUES ('{key}', {row});" for key, row in rows.items())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example drops its own
)
@given(table=tables())
def test_any_table_becomes_identical_and_a_second_sync_writes_nothing(
    databases: Databases, table: tuple[str, str, str]
) -> None:
    schema, source, target = table
    pair = Pair(
        databases.make("", schema + ";" + source), databases.make("", schema + ";" + target)
    )
    pair.target.mark()
    try:
        sync(pair)

        assert_same(pair)
        assert sync(pair).status == "unchanged"
    finally:
        databases.drop_all()
