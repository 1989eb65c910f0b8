"""The command, as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases, Pair


@pytest.fixture
def pair(databases: Databases) -> Pair:
    return databases.pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE kept (n int)",
        source="INSERT INTO t VALUES (1, 'a'); INSERT INTO kept VALUES (1)",
    )


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "db_sync", *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_syncs_and_shows_a_table(pair: Pair) -> None:
    done = command("--source", pair.source.url, "--target", pair.target.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert "public.t" in done.stdout
    assert "verified" in done.stdout
    assert_same(pair)


def test_with_json_it_prints_the_result_and_nothing_else(pair: Pair, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"exclude": ["public.kept"]}')

    done = command(
        *("--source", pair.source.url, "--target", pair.target.url),
        *("--dry-run", "--json", "--rules", str(rules)),
    )

    result = json.loads(done.stdout)
    assert done.stderr == ""
    assert (result["status"], result["tables"], result["rows_inserted"]) == ("dry_run", 1, 1)


def test_it_names_each_masked_column_with_its_rule(pair: Pair, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"mask": {"public.t.v": "null"}}')

    done = command("--source", pair.source.url, "--target", pair.target.url, "--rules", str(rules))

    masked = 'masked: public.t.v (null, by the rule "public.t.v")'
    assert masked in done.stdout


def test_a_refused_sync_exits_with_1_and_prints_the_errors_name(pair: Pair) -> None:
    done = command("--source", pair.target.url, "--target", pair.target.url)

    assert done.returncode == 1
    assert done.stderr.startswith("TargetNotAllowed: ")
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--source", "postgresql://a:secret-word@[bad/x", "--target", "dbname=b"],
        ["--source", "dbname=a", "--target", "dbname=b", "--rules", "nowhere.json"],
        ["--source", "dbname=a", "--target", "dbname=b", "--no-such-option"],
    ],
)
def test_a_wrong_call_exits_with_2_and_shows_no_password(arguments: list[str]) -> None:
    done = command(*arguments)

    assert done.returncode == 2
    assert done.stderr != ""
    assert "Traceback" not in done.stderr
    assert "Errno" not in done.stderr
    assert "secret-word" not in done.stderr


def test_several_jobs_sync_in_parts(pair: Pair) -> None:
    done = command(
        "--source", pair.source.url, "--target", pair.target.url, "--jobs", "2", "--json"
    )

    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert (result["atomic"], result["verified"], result["rows_inserted"]) == (False, True, 2)
    assert_same(pair)


def test_an_error_in_a_part_is_told_as_any_other(pair: Pair) -> None:
    pair.target.execute("ALTER TABLE t ADD CHECK (v <> 'a')")
    done = command("--source", pair.source.url, "--target", pair.target.url, "--jobs", "2")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("SchemaMismatch: In part 1 (public.")
    assert "the target is in between; start again to go on" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--jobs", "0"), "must be a whole number from 1 to 64"),
        (("--jobs", "many"), "must be a whole number from 1 to 64"),
        (("--jobs", "2", "--dry-run"), "--dry-run writes nothing"),
    ],
)
def test_jobs_that_make_no_sense_are_a_wrong_call(
    pair: Pair, arguments: tuple[str, ...], problem: str
) -> None:
    done = command("--source", pair.source.url, "--target", pair.target.url, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_a_page_about_the_run_is_written(pair: Pair, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    done = command("--source", pair.source.url, "--target", pair.target.url, "--report", str(page))

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"page: {page}"
    assert "public.t" in page.read_text()
    assert "Staging equals production" in page.read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_page_about_a_dry_run_replaces_an_older_one_and_json_stays_alone(
    pair: Pair, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("an older one")

    done = command(
        *("--source", pair.source.url, "--target", pair.target.url),
        *("--dry-run", "--json", "--report", str(page)),
    )

    assert json.loads(done.stdout)["status"] == "dry_run"
    assert "Dry run: nothing was written" in page.read_text()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_page_about_a_failure_says_why(pair: Pair, tmp_path: Path, jobs: str) -> None:
    page = tmp_path / "page.html"
    pair.target.execute("ALTER TABLE t ADD CHECK (v <> 'a')")

    done = command(
        *("--source", pair.source.url, "--target", pair.target.url),
        *("--jobs", jobs, "--report", str(page)),
    )

    assert done.returncode == 1
    assert "SchemaMismatch" in page.read_text()
    assert ("partly old and partly new" in page.read_text()) is (jobs == "2")


def test_a_page_about_parts_that_never_began_says_that_nothing_was_touched(
    pair: Pair, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    pair.target.execute(f"COMMENT ON DATABASE {pair.target.name} IS NULL")

    done = command(
        *("--source", pair.source.url, "--target", pair.target.url),
        *("--jobs", "2", "--report", str(page)),
    )

    assert done.returncode == 1
    assert "The sync was refused; nothing was touched" in page.read_text()
    assert "partly old" not in page.read_text()


def test_a_link_stays_and_what_it_leads_to_is_replaced(pair: Pair, tmp_path: Path) -> None:
    page, link = tmp_path / "page.html", tmp_path / "link"
    page.write_text("an older one")
    link.symlink_to(page)

    command("--source", pair.source.url, "--target", pair.target.url, "--report", str(link))

    assert link.is_symlink()
    assert "public.t" in page.read_text()


def test_a_page_that_cannot_be_written_stops_the_run_before_it_begins(
    pair: Pair, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for page in (tmp_path, pipe, tmp_path / "missing" / "page.html", tmp_path / ("x" * 300)):
        done = command(
            "--source", pair.source.url, "--target", pair.target.url, "--report", str(page)
        )

        assert (done.returncode, done.stdout) == (2, "")
        assert f"{page} cannot be written" in done.stderr
    assert pair.target.value("SELECT count(*) FROM t") == 0
