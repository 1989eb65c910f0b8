"""The real definition in moto's interpreter, with functions of this process as its Lambdas."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

import db_sync.handler
import list_cognito_users.handler
import update_db.handler
from tests.statemachine.json_lines import read_json_lines
from tests.statemachine.kept import computed_once
from tests.statemachine.lambdas import RESULTS, Lambdas, succeeding
from tests.statemachine.staging import Staging, make_staging
from tests.statemachine.workflow import Workflow
from tests.support.bucket import REGION
from tests.support.databases import Databases


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A mocked AWS account whose Step Functions executes state machines."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(
        config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    ):
        yield


@pytest.fixture(autouse=True, scope="session")
def _computed_once() -> Iterator[None]:
    with computed_once():
        yield


@pytest.fixture(autouse=True)
def _json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    read_json_lines(monkeypatch)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that retries would have waited: really waiting would take minutes.

    The interpreter's sleep is replaced and not the definition, so that the tests check the real
    intervals.
    """
    waited: list[float] = []
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture(autouse=True)
def lambdas(monkeypatch: pytest.MonkeyPatch) -> Lambdas:
    """Three Lambdas that check their event as the real ones do, and succeed."""
    routed = Lambdas({name: succeeding(name) for name in RESULTS})
    monkeypatch.setattr(lambda_eval_utils, "boto_client_for", lambda **_: routed)
    return routed


@pytest.fixture
def workflow() -> Workflow:
    """The state machine, created from the real definition."""
    return Workflow.deploy()


@pytest.fixture
def staging(databases: Databases, lambdas: Lambdas, monkeypatch: pytest.MonkeyPatch) -> Staging:
    """The real Lambdas' databases, pool and bucket."""
    lambdas.functions = {
        "db_sync": db_sync.handler.handler,
        "list_cognito_users": list_cognito_users.handler.handler,
        "update_db": update_db.handler.handler,
    }
    staging, environment = make_staging(databases)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return staging
