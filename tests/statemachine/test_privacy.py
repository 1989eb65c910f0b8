"""No personal data leaves the databases and the pool except in the reports, whatever happens."""

import contextlib
import functools
import io
import json
from dataclasses import dataclass, field
from typing import NoReturn

import boto3
import pytest

import update_db.handler
from common.entry import entry_point
from common.postgres.target import LOCK_KEY
from common.postgres.waits import Retry, Waits
from db_sync.handler import sync
from tests.statemachine.lambdas import Lambdas
from tests.statemachine.staging import PASSWORD, Staging
from tests.statemachine.workflow import Outcome, Workflow
from tests.support.raising import PLACES, raising

NAME, NOTE = "Jane Recognisable", "a note about 4711"
AT_ONCE = Retry(0.0, pause=0.0)
WAITS_FOR_NOTHING = Waits(table_locks=AT_ONCE, run_lock=AT_ONCE, rotation=AT_ONCE)
DB_SYNC_AT_ONCE = entry_point(functools.partial(sync, waits=WAITS_FOR_NOTHING))
ADD_COLUMNS = "ALTER TABLE users ADD name text, ADD note text;"
FILL = f"UPDATE users SET name = '{NAME}', note = '{NOTE}';"
REMAP_TRIGGER = """
CREATE TABLE audit (email text UNIQUE);
INSERT INTO audit VALUES ('jane@example.com');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN {body}; RETURN NEW; END $$;
CREATE TRIGGER note BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note();
"""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Everything that the process has written since the test began."""

    logged: io.StringIO
    capfd: pytest.CaptureFixture[str]

    def everything(self, outcome: Outcome) -> str:
        """Return it, and what Step Functions stores of an execution."""
        kept = json.dumps(
            [outcome.history, outcome.output, outcome.error, outcome.cause], default=str
        )
        return "\n".join([self.logged.getvalue(), *self.capfd.readouterr(), kept])


@dataclass(frozen=True, slots=True)
class Case:
    """What is wrong with staging, and the state and the error in which the execution ends."""

    name: str
    sql: str
    error: str
    where: str = "SyncDatabase"
    document: dict[str, bool] = field(default_factory=lambda: {"sync_cognito": True})


MISFIT = "SchemaMismatch"
FAILURES = [
    Case("a text is too long", "ALTER TABLE users ALTER name TYPE varchar(5)", "SchemaMismatch"),
    Case("a row breaks a check", "ALTER TABLE users ADD CHECK (note IS NULL)", "SchemaMismatch"),
    Case("two rows are equal", "CREATE UNIQUE INDEX ON users (name)", "SchemaMismatch"),
    Case(
        "a value breaks a domain",
        "CREATE DOMAIN short AS text CHECK (VALUE NOT LIKE 'Jane%');"
        "ALTER TABLE users ALTER name TYPE short",
        "SchemaMismatch",
    ),
    Case(
        "a trigger breaks a constraint",
        REMAP_TRIGGER.format(body="INSERT INTO audit VALUES (NEW.email)"),
        "SchemaMismatch",
        "UpdateDatabase",
    ),
    Case(
        "a trigger raises the row",
        REMAP_TRIGGER.format(body="RAISE EXCEPTION 'not %', NEW USING DETAIL = NEW.email"),
        "SchemaMismatch",
        "UpdateDatabase",
    ),
]
# The application's own functions raise, for production's rows and for the pool's subs.
FAILURES += [
    Case(f"{place} of the sync raises", raising(place, "P0001", "users", "name", "Jane%"), MISFIT)
    for place in sorted(PLACES.keys() - {"a trigger"})
]
FAILURES += [
    Case(
        f"{place} of the remap raises",
        raising(place, "P0001", "users", "cognito_sub", "%-%-%-%-%"),
        MISFIT,
        "UpdateDatabase",
    )
    for place in PLACES
]


@pytest.fixture
def recorder(logged: io.StringIO, capfd: pytest.CaptureFixture[str]) -> Recorder:
    return Recorder(logged, capfd)


@pytest.fixture
def staging(staging: Staging) -> Staging:
    """Rows with a recognisable name and note."""
    for database in (staging.production, staging.target):
        database.execute(ADD_COLUMNS)
    staging.production.execute(FILL)
    return staging


def personal(staging: Staging) -> list[str]:
    """Return what must not be found: values of the rows and of the pool, and the password."""
    return [*staging.subs, *staging.subs.values(), "@example", "production-", NAME, NOTE, PASSWORD]


def assert_clean(text: str, staging: Staging) -> None:
    assert [value for value in personal(staging) if value in text] == []


def assert_each_line_names(outcome: Outcome, logged: io.StringIO) -> None:
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert lines
    assert {line.get("execution") for line in lines} == {outcome.name}


def test_a_run_writes_personal_data_only_into_its_reports(
    workflow: Workflow, staging: Staging, recorder: Recorder
) -> None:
    outcome = workflow.run({"sync_cognito": True})

    assert outcome.status == "SUCCEEDED", outcome.cause
    text = recorder.everything(outcome)
    for part in ("UpdateDatabase", "remapped", "table written", "UsersUpdated", "RowsInserted"):
        assert part in text, "the log, the metrics and the history were recorded"
    assert_clean(text, staging)
    assert_each_line_names(outcome, recorder.logged)
    held = {name: staging.read(outcome.name, name) for name in staging.files(outcome.name)}
    clean = {
        name
        for name, content in held.items()
        if not any(value in content for value in personal(staging))
    }
    assert clean == {"db-sync.json", "cognito-mapping.json", "cognito-users/manifest.json"}
    assert len(held) == 5, "the listing's part and the remap's report have personal data"


@pytest.mark.parametrize("case", FAILURES, ids=[case.name for case in FAILURES])
def test_a_row_that_the_database_refuses_is_quoted_nowhere(
    workflow: Workflow, staging: Staging, recorder: Recorder, case: Case
) -> None:
    staging.target.execute(case.sql)

    outcome = workflow.run(case.document)

    assert (outcome.status, outcome.error) == ("FAILED", case.error), outcome.cause
    assert list(outcome.entered())[-1] == case.where
    assert_clean(recorder.everything(outcome), staging)
    assert_each_line_names(outcome, recorder.logged)


@pytest.mark.parametrize(
    "text", [f'{{"password": "{PASSWORD}', f'{{"password": "{PASSWORD}"}}', PASSWORD]
)
def test_a_secret_that_cannot_be_used_is_quoted_nowhere(
    workflow: Workflow, staging: Staging, recorder: Recorder, text: str
) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId="staging", SecretString=text)

    outcome = workflow.run({})

    assert (outcome.status, outcome.error) == ("FAILED", "ConfigurationError")
    assert_clean(recorder.everything(outcome), staging)
    assert_each_line_names(outcome, recorder.logged)


@pytest.mark.parametrize(
    "changed",
    [
        {"host": f"postgresql://jane:{PASSWORD}@db.example.com/shop"},
        {"host": f"jane:{PASSWORD}@db.example.com"},
        {"dbname": f"postgresql://jane:{PASSWORD}@db.example.com/shop"},
        {"dbname": f"host=db.example.com user=jane password={PASSWORD}"},
        {"port": f"5432/shop?password={PASSWORD}"},
        {"username": "jane@example.com"},
        {"password": ""},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_secret_whose_fields_are_wrong_shows_neither_user_nor_password(
    workflow: Workflow,
    staging: Staging,
    recorder: Recorder,
    lambdas: Lambdas,
    changed: dict[str, str],
) -> None:
    lambdas.functions["db_sync"] = DB_SYNC_AT_ONCE
    client = boto3.client("secretsmanager")
    secret = json.loads(client.get_secret_value(SecretId="staging")["SecretString"])
    client.put_secret_value(SecretId="staging", SecretString=json.dumps(secret | changed))

    outcome = workflow.run({})

    assert (outcome.status, outcome.error) == ("FAILED", "ConfigurationError"), outcome.cause
    assert_clean(recorder.everything(outcome), staging)


@pytest.mark.parametrize(
    ("held", "error"),
    [
        ("LOCK TABLE users IN EXCLUSIVE MODE", "TargetBusy"),
        (f"SELECT pg_advisory_lock({LOCK_KEY})", "SyncInProgress"),
    ],
)
def test_the_names_of_other_sessions_are_quoted_nowhere(
    workflow: Workflow,
    staging: Staging,
    recorder: Recorder,
    *,
    held: str,
    error: str,
    lambdas: Lambdas,
) -> None:
    lambdas.functions["db_sync"] = DB_SYNC_AT_ONCE
    with contextlib.closing(staging.target.connect()) as other:
        other.cursor().execute(f"SET application_name = 'psql of jane@example.com'; {held}")

        outcome = workflow.run({})
        holder = f"backend {other.info.backend_pid} (user postgres)"

    assert (outcome.status, outcome.error) == ("FAILED", error), outcome.cause
    assert holder in str(outcome.cause)
    assert_clean(recorder.everything(outcome), staging)


def test_an_unexpected_error_quotes_nothing(
    workflow: Workflow, staging: Staging, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = personal(staging)

    def fail(*_: object) -> NoReturn:
        raise KeyError(row)

    monkeypatch.setattr(update_db.handler, "remap_users", fail)

    outcome = workflow.run({"cognito_only": True})

    assert (outcome.status, outcome.error) == ("FAILED", "StagingSyncError")
    assert_clean(recorder.everything(outcome), staging)
    assert_each_line_names(outcome, recorder.logged)
