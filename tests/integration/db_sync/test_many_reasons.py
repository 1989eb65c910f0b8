"""However many reasons forbid a sync: the remedy comes first, and the report has all reasons."""

import json
from typing import Any

import pytest

from common.errors import ConfigurationError, SchemaMismatch
from db_sync.handler import handler
from tests.integration.db_sync.lambda_environment import use_databases
from tests.integration.db_sync.syncing import own_tables, sync
from tests.support.bucket import BUCKET
from tests.support.databases import Databases, Pair
from tests.support.lambda_context import FakeContext

COLUMNS = 1600  # the most that a table can have
CAUSE = 32_768  # characters
REMEDY = "bring both to the same migration"


def many_mismatches(databases: Databases) -> Pair:
    """Return two tables of 1,600 columns of which none can be converted."""
    schema = ";".join(
        f"CREATE TABLE {table} ("
        + ", ".join(f"a_column_with_quite_a_long_name_{n} bytea" for n in range(COLUMNS))
        + ")"
        for table in ("first_table", "second_table")
    )
    pair = databases.pair("")
    pair.source.execute(schema)
    pair.target.execute(schema.replace("bytea", "bool"))
    return pair


def cause(error: BaseException) -> str:
    """Return the cause that Step Functions keeps, with a long stack trace."""
    trace = ["  File /var/task/db_sync/some_module.py, line 100, in some_function\n"] * 50
    return json.dumps({"errorMessage": str(error), "errorType": "X", "stackTrace": trace})


def test_the_remedy_comes_before_3200_mismatches_of_which_as_many_are_listed_as_the_cause_can_hold(
    databases: Databases,
) -> None:
    pair = many_mismatches(databases)

    with pytest.raises(SchemaMismatch) as caught:
        sync(pair)

    said = str(caught.value)
    assert len(cause(caught.value)) < CAUSE
    assert said.index(REMEDY) < said.index("a_column_with_quite_a_long_name_0")
    assert said.endswith("more, all of them in the report db-sync.json.")
    listed = said.count("there is no assignment cast")
    assert f"and {2 * COLUMNS - listed} more" in said
    assert listed > 50
    assert len(caught.value.reasons) == 2 * COLUMNS


def test_names_that_are_not_ascii_do_not_make_the_cause_too_long(databases: Databases) -> None:
    columns = ", ".join(f"ein_sehr_långer_näme_für_eine_spalte_{n} bytea" for n in range(500))
    pair = databases.pair("")
    pair.source.execute(f"CREATE TABLE t ({columns})")
    pair.target.execute(f"CREATE TABLE t ({columns.replace('bytea', 'bool')})")

    with pytest.raises(SchemaMismatch) as caught:
        sync(pair)

    assert len(cause(caught.value)) < CAUSE


def test_missing_rights_on_many_tables_are_listed_with_statements_in_a_cause_that_fits(
    databases: Databases,
) -> None:
    tables = ";".join(f"CREATE TABLE a_table_with_a_name_{n} (id int)" for n in range(700))
    pair = databases.pair(tables)
    stranger = own_tables(databases.pair(""), "stranger")
    target = pair.target.address_as(stranger.parameters["user"])

    with pytest.raises(ConfigurationError) as caught:
        sync(pair, target=target)

    said = str(caught.value)
    assert len(cause(caught.value)) < CAUSE
    assert said.index("must be corrected, as described below") < said.index("a_table_with_a_name_0")
    statement = 'ALTER TABLE "public"."a_table_with_a_name_0" OWNER TO "stranger";'
    assert statement in said
    assert sum("a_table_with_a_name_699" in reason for reason in caught.value.reasons) == 1


@pytest.fixture
def report(s3: Any) -> Any:
    def read() -> Any:
        body = s3.get_object(Bucket=BUCKET, Key="executions/run-1/db-sync.json")["Body"]
        return json.loads(body.read())

    return read


def test_a_refused_sync_leaves_every_reason_in_its_report(
    databases: Databases, report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_databases(many_mismatches(databases), monkeypatch)

    with pytest.raises(SchemaMismatch):
        handler({"execution": "run-1", "input": {}}, FakeContext())

    written = report()
    assert (written["status"], written["error"]) == ("failed", "SchemaMismatch")
    assert REMEDY in written["message"]
    assert len(written["reasons"]) == 2 * COLUMNS
    assert any("second_table.a_column_with_quite_a_long_name_1599" in r for r in written["reasons"])


def test_a_sync_that_fails_while_it_writes_leaves_its_error_in_the_report(
    databases: Databases, report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = databases.pair("CREATE TABLE t (v int)", source="INSERT INTO t VALUES (1)")
    pair.target.execute("ALTER TABLE t ADD CHECK (v > 1)")
    use_databases(pair, monkeypatch)

    with pytest.raises(SchemaMismatch):
        handler({"execution": "run-1", "input": {}}, FakeContext())

    written = report()
    assert (written["status"], written["reasons"]) == ("failed", [])
    assert "A row breaks a check of the target" in written["message"]
