"""Stacks that are synthesized once each: cdk.json's example, a bare one, one with everything."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesized import (
    EXAMPLE,
    SECRETS,
    Synthesized,
    every_setting,
    settings_by_iam,
    synthesize,
)


@pytest.fixture(scope="session")
def empty_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer that need not be built, for tests that do not look into it."""
    layer = tmp_path_factory.mktemp("layer")
    (layer / "python").mkdir()
    (layer / "python" / "nothing.txt").write_text("nothing\n")
    return layer


@pytest.fixture(scope="session")
def minimal_settings(empty_layer: Path) -> dict[str, Any]:
    """Only what must be set: no VPC, no pool, no schedule."""
    return {**SECRETS, "layer_dir": str(empty_layer)}


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The example's settings, a schedule and an alarm: VPC, pool, and the real layer."""
    settings: dict[str, Any] = {
        **EXAMPLE["context"]["environments"]["staging"],
        **SECRETS,
        "has_nat": True,  # production's secret is in another Region
        "schedule_expression": "cron(0 3 * * ? *)",
        "schedule_timezone": "Europe/Berlin",
        "alarm_email": "on-call@example.com",
    }
    return synthesize(tmp_path_factory.mktemp("full"), settings)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, minimal_settings: dict[str, Any]) -> Synthesized:
    """The stack of the minimal settings."""
    return synthesize(tmp_path_factory.mktemp("bare"), minimal_settings)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory, empty_layer: Path) -> Synthesized:
    """Every setting set, to something that is not its default."""
    directory = tmp_path_factory.mktemp("everything")
    return synthesize(directory / "out", every_setting(directory, empty_layer))


@pytest.fixture(scope="session")
def by_iam(tmp_path_factory: pytest.TempPathFactory, empty_layer: Path) -> Synthesized:
    """No secrets: production is reached by a role of its own account."""
    directory = tmp_path_factory.mktemp("by_iam")
    settings = {**settings_by_iam(directory), "layer_dir": str(empty_layer)}
    return synthesize(directory / "out", settings)
