"""The subcommand mask-plan, as a process of its own: what it prints, and what it writes."""

import json
from pathlib import Path

import pytest

from tests.integration.db_sync.mask_planning import KEY, ORIGINALS, ROWS, SCHEMA, mask_plan, synced
from tests.integration.db_sync.test_command import command
from tests.support.databases import Databases, Pair


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(SCHEMA, source=ROWS)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "rules.json"


def test_a_sync_takes_the_proposed_file_and_has_nothing_to_warn_of(
    pair: Pair, output: Path
) -> None:
    done = mask_plan(pair.source.url, "--output", str(output))
    assert (done.returncode, done.stderr) == (0, "")
    rules = json.loads(output.read_text())

    first = synced(pair, rules)

    assert (first.status, first.warnings) == ("synced", ())
    assert synced(pair, rules).status == "unchanged"
    for table in ("users", "customers", "logins"):
        staging = str(pair.target.rows(f"SELECT t::text FROM {table} t"))
        production = str(pair.source.rows(f"SELECT t::text FROM {table} t"))
        assert "@orig.test" in production
        assert "@orig.test" not in staging


@pytest.mark.parametrize("columns", [60, 80, 140, 300])
def test_it_prints_and_writes_no_original(pair: Pair, output: Path, columns: int) -> None:
    done = mask_plan(pair.source.url, "--output", str(output), key=KEY, columns=columns)

    assert "customers" in done.stdout
    for original in ORIGINALS:
        assert original not in done.stdout + done.stderr
        assert original not in output.read_text()


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_no_line_is_wider_than_the_terminal(pair: Pair, output: Path, columns: int) -> None:
    done = mask_plan(pair.source.url, "--output", str(output), columns=columns)

    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= columns


def test_it_shows_each_column_with_what_becomes_of_it_and_why(pair: Pair, output: Path) -> None:
    done = mask_plan(pair.source.url, "--output", str(output), key=KEY)

    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "email" in lines["contact"]
    assert "looks personal: most values are" in lines["contact"]
    assert ".invalid" in lines["contact"]
    assert "as it is" in lines["balance"]
    assert "computed" in lines["loud"]
    assert "reviewed" in lines["email_verified"]
    assert "the foreign key logins_who_fkey" in lines["who"]
    assert "text" in lines["$.address.street"]
    assert "profile also has $.friends.*, $.login.count, $.newsletter, $.plan" in done.stdout


def test_the_samples_are_what_a_sync_with_the_same_key_writes(pair: Pair, output: Path) -> None:
    done = mask_plan(pair.source.url, "--output", str(output), key=KEY, columns=160)
    synced(pair, json.loads(output.read_text()))

    assert "MASK_KEY" not in done.stdout
    shown = [line.split()[-1] for line in done.stdout.splitlines() if "ip_address" in line]
    staging = pair.target.rows("SELECT ip_address::text FROM customers")
    assert (shown[0],) in staging


def test_without_a_key_it_says_that_the_samples_have_one_of_their_own(
    pair: Pair, output: Path
) -> None:
    first = mask_plan(pair.source.url, "--output", str(output)).stdout
    output.unlink()
    again = mask_plan(pair.source.url, "--output", str(output)).stdout

    assert "MASK_KEY is not set" in first
    assert first != again


def test_with_rules_it_adds_only_what_is_new(pair: Pair, output: Path, tmp_path: Path) -> None:
    mask_plan(pair.source.url, "--output", str(output))
    before = json.loads(output.read_text()) | {"unreviewed": "fail"}
    before["mask"]["public.customers.notes"] = {"with": "fixed", "value": "a note"}
    output.write_text(json.dumps(before))
    pair.source.execute("ALTER TABLE customers ADD passport_no text")
    again = tmp_path / "again.json"

    done = mask_plan(pair.source.url, "--rules", str(output), "--output", str(again))

    rules = json.loads(again.read_text())
    assert rules["mask"].pop("public.customers.passport_no") == "hash"
    assert rules == before
    assert "fixed value=a note" in " ".join(done.stdout.split())
    assert "1 masks proposed" in done.stdout


def test_an_existing_file_is_not_overwritten_and_nothing_is_read(output: Path) -> None:
    output.write_text("mine")

    done = mask_plan("dbname=nowhere", "--output", str(output))

    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert output.read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--output", "no/such/folder/rules.json"],
        ["--rules", "nowhere.json"],
        ["--no-such-option"],
        ["--output"],
    ],
)
def test_a_wrong_call_exits_with_2(arguments: list[str]) -> None:
    done = mask_plan("dbname=nowhere", *arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Errno" not in done.stderr


def test_a_source_that_cannot_be_reached_exits_with_1_and_writes_nothing(output: Path) -> None:
    done = mask_plan("postgresql://127.0.0.1:1/nowhere", "--output", str(output))

    assert done.returncode == 1
    assert done.stderr.startswith("DatabaseUnavailable: ")
    assert not output.exists()


def test_without_an_output_it_writes_to_the_current_directory(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = mask_plan(pair.source.url)

    assert done.returncode == 0
    assert json.loads((tmp_path / "mask-rules.json").read_text())["mask"]


def test_the_commands_help_mentions_it() -> None:
    assert "db-sync mask-plan" in " ".join(command("--help").stdout.split())
