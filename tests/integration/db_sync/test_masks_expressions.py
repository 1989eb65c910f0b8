"""Masks of the kind sql: an expression of the team's, tried before anything is copied."""

import pytest

from common.errors import ConfigurationError, SchemaMismatch
from tests.integration.db_sync.masking import Masks, mask_rules, refusal, sync_masked
from tests.support.databases import Databases

TABLE = """
CREATE TABLE notes (id int PRIMARY KEY, body text, "long name" text, at timestamptz, price numeric);
"""
ROWS = """
INSERT INTO notes SELECT i, 'note number ' || i || ' of Ada', 'x', now(), i
FROM generate_series(1, 300) i
"""


def with_sql(expression: str, column: str = "public.notes.body") -> Masks:
    return {column: {"with": "sql", "expression": expression}}


@pytest.mark.parametrize(
    "expression",
    [
        "left({column}, 4)",
        "'note ' || id || {column}",
        "CASE WHEN {column} LIKE '%1%' THEN left({column}, 4) ELSE 'other' END",
        "left({column}, 4) -- a comment",
        "/* a comment */ left(body, 4)",
        "'100% {done}' || id",
        "left(notes_body, 4)",
    ],
)
def test_an_expression_over_the_row_masks_a_column(databases: Databases, expression: str) -> None:
    pair = databases.pair(
        TABLE.replace("price numeric", "price numeric, notes_body text DEFAULT 'note of'"),
        source=ROWS,
    )
    masks, reviewed = with_sql(expression), ["public.notes.*"]

    sync_masked(pair, masks, reviewed=reviewed)

    computed = expression.replace("{column}", "body")
    expected = pair.source.rows(f"SELECT id, ({computed}\n) FROM notes ORDER BY id")
    assert pair.target.rows("SELECT id, body FROM notes ORDER BY id") == expected
    assert sync_masked(pair, masks, reviewed=reviewed).status == "unchanged"


def test_a_columns_name_may_need_quotes(databases: Databases) -> None:
    pair = databases.pair(TABLE, source=ROWS)

    sync_masked(pair, with_sql('upper({column}) || "long name"', 'public.notes."long name"'))

    assert pair.target.value('SELECT DISTINCT "long name" FROM notes') == "Xx"


REFUSED = {
    "stable": "now()::text",
    "volatile": "random()::text",
    "depends on the time zone": "to_char(at, 'YYYY')",
    "depends on DateStyle": "at::text",
    "uuid": "gen_random_uuid()::text",
    "session": "current_setting('application_name')",
    "key": "current_setting('staging_sync.mask_keys')",
    "user": "current_user::text",
    "subquery": "(SELECT 'x')",
    "subquery of a table": "(SELECT body FROM notes LIMIT 1)",
    "aggregate": "max(body)",
    "window": "max(body) OVER ()",
    "set": "regexp_split_to_table(body, ' ')",
    "unknown column": "bodies",
    "row of ours": "t.body",
    "alias of ours": "staging_sync_row.body",
    "whole row": "staging_sync_row::text",
    "unknown function": "no_such_function(body)",
    "two values": "body, id",
    "nothing": " ",
    "comment alone": "-- body",
    "open comment": "body /* ",
    "open parenthesis": "(body",
    "open quote": "'body",
    "other clause": "body FROM pg_catalog.pg_authid --",
    "another column": "1) STORED, ADD COLUMN x int GENERATED ALWAYS AS (2",
    "another select": "body) FROM notes) UNION SELECT (rolpassword FROM pg_authid",
    "star": "*",
    "placeholder": "$1",
    "assignment": "body INTO TEMP x",
}


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("expression", REFUSED.values(), ids=REFUSED.keys())
def test_an_expression_that_is_none_or_not_immutable_is_refused(
    databases: Databases, expression: str, *, dry_run: bool
) -> None:
    pair = databases.pair(TABLE, source=ROWS)

    (reason,) = refusal(pair, with_sql(expression), dry_run=dry_run, reviewed=["public.notes.*"])

    assert reason.startswith(
        "the expression for public.notes.body must be one over the columns of its row that returns"
        " text, and the same every time (immutable: without now(), random() or a subquery);"
    )
    assert "SQLSTATE 42" in reason or "SQLSTATE 0A000" in reason


def test_an_expression_of_another_type_is_refused(databases: Databases) -> None:
    pair = databases.pair(TABLE, source=ROWS)

    (reason,) = refusal(pair, with_sql("body", "public.notes.price"), reviewed=["public.notes.*"])

    assert "that returns numeric, and the same every time" in reason
    assert "SQLSTATE 42804" in reason


def test_all_expressions_that_are_refused_are_named(databases: Databases) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    masks = with_sql("now()::text") | with_sql("random()", "public.notes.price")

    assert len(refusal(pair, masks, reviewed=["public.notes.*"])) == 2


@pytest.mark.parametrize("expression", ["a; DROP TABLE notes", "\0", ""])
def test_an_expression_that_is_more_than_one_is_no_rule(expression: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expression|NUL"):
        mask_rules(with_sql(expression))


FUNCTION = """
CREATE SCHEMA IF NOT EXISTS app;
CREATE FUNCTION app.shortened(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left($1, 4)';
"""
# A table whose check calls a function has our sessions search the schemas of the application.
CHECKED = """
CREATE FUNCTION app.is_good(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE notes ADD CHECK (app.is_good(body));
"""


@pytest.mark.parametrize("schema", [TABLE + FUNCTION, TABLE + FUNCTION + CHECKED])
def test_a_function_of_the_application_needs_its_schema(databases: Databases, schema: str) -> None:
    pair = databases.pair(schema, source=ROWS)
    reviewed = ["public.notes.*"]

    (reason,) = refusal(pair, with_sql("shortened({column})"), reviewed=reviewed)
    result = sync_masked(pair, with_sql("app.shortened({column})"), reviewed=reviewed)

    assert "functions that are not PostgreSQL's own need their schema" in reason
    assert "function shortened(text) does not exist" in reason
    assert result.status == "synced"
    assert pair.target.value("SELECT DISTINCT body FROM notes") == "note"


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_function_that_only_one_side_has_is_refused(databases: Databases, side: str) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    getattr(pair, side).execute(FUNCTION)

    (reason,) = refusal(pair, with_sql("app.shortened({column})"), reviewed=["public.notes.*"])

    assert "must exist in both databases" in reason
    assert "SQLSTATE 3F000" in reason or "SQLSTATE 42883" in reason


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_column_that_only_one_side_has_cannot_be_used(databases: Databases, side: str) -> None:
    pair = databases.pair(TABLE, source=ROWS)
    getattr(pair, side).execute("ALTER TABLE notes ADD COLUMN extra text")

    (reason,) = refusal(pair, with_sql("left(extra, 2)"), reviewed=["public.notes.*"])

    assert 'column "extra" does not exist' in reason


def test_a_function_that_the_sources_role_may_not_call_is_refused(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(TABLE + FUNCTION, source=ROWS)
    pair.source.execute(
        f"GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON notes TO {role};"
        "REVOKE EXECUTE ON FUNCTION app.shortened FROM PUBLIC"
    )

    with pytest.raises((ConfigurationError, SchemaMismatch), match="shortened"):
        sync_masked(
            pair,
            with_sql("app.shortened({column})"),
            source=pair.source.address_as(role),
            reviewed=["public.notes.*"],
        )

    assert pair.target.value("SELECT count(*) FROM notes") == 0


def test_an_expression_masks_a_column_of_a_domain(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE DOMAIN short AS varchar(12) CHECK (VALUE <> 'bad');"
        "CREATE TABLE notes (id int PRIMARY KEY, body short, other short)",
        source="INSERT INTO notes SELECT i, 'text ' || i, 'x' FROM generate_series(1, 20) i",
    )
    reviewed = ["public.notes.*"]

    (reason,) = refusal(pair, with_sql("repeat({column}, 5)"), reviewed=reviewed)
    sync_masked(pair, with_sql("left({column}, 5) || other"), reviewed=reviewed)

    assert reason.startswith("masked rows of public.notes do not fit: body (sql): A text is longer")
    assert pair.target.value("SELECT DISTINCT body FROM notes") == "text x"


def test_an_array_of_texts_is_not_cut(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE notes (id int PRIMARY KEY, body varchar(5)[])",
        source="INSERT INTO notes VALUES (1, '{one,two}')",
    )

    (reason,) = refusal(pair, with_sql("ARRAY[repeat({column}[1], 3)]"))
    sync_masked(pair, with_sql("ARRAY[repeat({column}[1], 1)]"))

    assert "A text is longer than its column allows" in reason
    assert pair.target.value("SELECT body FROM notes") == ["one"]
    assert sync_masked(pair, with_sql("ARRAY[repeat({column}[1], 1)]")).status == "unchanged"
