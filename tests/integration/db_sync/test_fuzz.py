"""A short `make fuzz`: a round runs, and finds what is wrong."""

import contextlib
from collections import Counter
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from db_sync.parts.part import Bounds
from sandbox.postgres import EmbeddedPostgres
from tests.fuzz import checks
from tests.fuzz.engine import sync
from tests.fuzz.finding import Finding
from tests.fuzz.report import save
from tests.fuzz.rounds import make_round
from tests.fuzz.runner import run_round
from tests.fuzz.servers import Servers


@pytest.fixture(scope="module")
def servers(server: EmbeddedPostgres) -> Servers:
    return Servers.only(server)


def test_a_round_syncs_and_finds_nothing(servers: Servers) -> None:
    counts: Counter[str] = Counter()

    run_round(make_round(1, servers.kinds, has_icu=""), servers, counts, [])

    assert counts["then unchanged"]


def test_a_surplus_row_is_found_and_the_statements_are_saved(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def sync_badly(source: str, target: str, *arguments: Any, **options: Any) -> Any:
        result = sync(source, target, *arguments, **options)
        if not options["dry_run"]:
            with contextlib.closing(psycopg2.connect(target)) as connection, connection:
                connection.cursor().execute("INSERT INTO public.log VALUES ('one too many')")
        return result

    monkeypatch.setattr(checks, "sync", sync_badly)
    round_ = make_round(1, servers.kinds, has_icu="")

    with pytest.raises(Finding, match="not identical") as found:
        run_round(round_, servers, Counter(), [])

    assert "CREATE TABLE public.log" in save(round_, found.value, tmp_path).read_text()


def test_a_round_in_parts_finds_nothing(servers: Servers) -> None:
    counts: Counter[str] = Counter()

    run_round(make_round(4, servers.kinds, has_icu="", is_in_parts=True), servers, counts, [])

    assert counts["in parts"]
    assert counts["then unchanged"]


def test_a_row_in_no_part_is_found(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Bounds._compared

    def excluding(bounds: Bounds, operator: str, values: tuple[str, ...]) -> sql.Composable:
        return compared(bounds, operator.replace(">=", ">"), values)

    monkeypatch.setattr(Bounds, "_compared", excluding)
    round_ = make_round(4, servers.kinds, has_icu="", is_in_parts=True)

    with pytest.raises(Finding):
        run_round(round_, servers, Counter(), [])
