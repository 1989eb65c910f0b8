"""The dashboard shows exactly the metrics that the Lambdas emit."""

import json
from typing import Any

import pytest

from common.metrics import DIMENSION, NAMESPACE, Metric
from tests.infra.synthesized import Synthesized


@pytest.fixture(scope="module")
def body(full: Synthesized) -> dict[str, Any]:
    """The dashboard's body."""
    text = full.text(full.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def metrics(body: dict[str, Any]) -> list[list[Any]]:
    """Return every metric of every widget, as CloudWatch lists it."""
    return [
        metric
        for widget in body["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if isinstance(metric[0], str)
    ]


def test_it_is_named_after_the_stack_and_its_region_since_all_regions_share_one_list(
    full: Synthesized,
) -> None:
    name = full.only("AWS::CloudWatch::Dashboard")["DashboardName"]
    assert name == "staging-sync-staging-eu-central-1"


def test_every_metric_that_is_emitted_is_shown_and_no_other(body: dict[str, Any]) -> None:
    ours = [metric for metric in metrics(body) if metric[0] == NAMESPACE]

    assert {metric[1] for metric in ours} == set(Metric)


@pytest.mark.parametrize("package", ["db_sync", "update_db"])
def test_it_shows_what_the_lambdas_emit_under_the_name_in_their_variables(
    full: Synthesized, body: dict[str, Any], package: str
) -> None:
    service = full.variables(package)["POWERTOOLS_SERVICE_NAME"]

    named = {tuple(metric[2:4]) for metric in metrics(body) if metric[0] == NAMESPACE}

    assert named == {(DIMENSION, service)}


def test_it_shows_how_this_machine_s_executions_ended_and_how_long_they_took(
    body: dict[str, Any],
) -> None:
    states = [metric for metric in metrics(body) if metric[0] == "AWS/States"]

    assert {metric[1] for metric in states} == {
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionTime",
    }
    assert {tuple(metric[2:4]) for metric in states} == {
        ("StateMachineArn", "<Workflow/StateMachine>")
    }


def test_its_queries_read_the_machine_s_log(body: dict[str, Any]) -> None:
    queries = {
        widget["properties"]["title"]: widget["properties"]["query"]
        for widget in body["widgets"]
        if widget["type"] == "log"
    }
    assert queries.keys() == {"When did it last work", "What failed last"}
    for query in queries.values():
        assert query.startswith("SOURCE '<Workflow/Logs>'")
    assert '"ExecutionSucceeded"' in queries["When did it last work"]
    assert "details.error" in queries["What failed last"]


def test_no_widget_covers_another(body: dict[str, Any]) -> None:
    covered = [
        (x, y)
        for widget in body["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24


def test_its_first_line_links_to_the_latest_page_in_the_console(body: dict[str, Any]) -> None:
    first = min(body["widgets"], key=lambda widget: (widget["y"], widget["x"]))

    assert first["type"] == "text"
    assert (
        "(https://<AWS::Region>.console.aws.amazon.com/s3/object/<Exchange/Bucket>"
        "?region=<AWS::Region>&prefix=latest/report.html)" in first["properties"]["markdown"]
    )
