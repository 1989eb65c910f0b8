"""Metrics are emitted as one line in CloudWatch's embedded metric format."""

import json
import re
from pathlib import Path

import pytest

from common.log import SERVICE
from common.metrics import DIMENSION, NAMESPACE, PHASES, Metric, emit
from db_sync.run import PARTICIPLES

FUNCTIONS = Path(__file__).parents[2] / "functions"


def test_metrics_are_one_line_that_cloudwatch_reads(capsys: pytest.CaptureFixture[str]) -> None:
    emit("run-1", {Metric.ROWS_INSERTED: 3, Metric.SYNC_SECONDS: 1.25})

    (line,) = capsys.readouterr().out.splitlines()
    written = json.loads(line)
    (definition,) = written.pop("_aws")["CloudWatchMetrics"]
    assert definition == {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [
            {"Name": "RowsInserted", "Unit": "Count"},
            {"Name": "SyncSeconds", "Unit": "Seconds"},
        ],
    }
    assert written == {
        "service": SERVICE,
        "execution": "run-1",
        "RowsInserted": [3.0],
        "SyncSeconds": [1.25],
    }


def test_an_execution_s_metrics_do_not_carry_those_of_the_one_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit("run-1", {Metric.USERS_UPDATED: 3})
    emit("run-2", {Metric.ROWS_INSERTED: 4})

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["execution"], first["UsersUpdated"]) == ("run-1", [3.0])
    assert (second["execution"], second["RowsInserted"]) == ("run-2", [4.0])
    assert "UsersUpdated" not in second


def test_every_phase_that_is_timed_when_rows_are_written_has_a_metric() -> None:
    timed = {
        phase
        for path in FUNCTIONS.rglob("*.py")
        for phase in re.findall(r'\.(?:step|timed)\("(\w+)"', path.read_text())
    }

    assert timed == PARTICIPLES.keys()
    assert timed - {"count"} == PHASES.keys(), "only a dry run counts"
