"""No original value of a masked column, and no key, is where it should not be."""

import contextlib
import io
import json
import re
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg2
import pytest

from common.errors import StagingSyncError
from common.postgres import spool
from db_sync.mask.kinds import KEYED
from sandbox.database import Database
from sandbox.postgres import EmbeddedPostgres, temporary_server
from tests.integration.db_sync.masking import KEY, Masks, mask_rules, sync_masked
from tests.support.databases import Databases, system_programs
from tests.support.pooler import Pooler, pooler_before

TABLE = "CREATE TABLE people (id int PRIMARY KEY, name text, other text);"
ADA = "Lovelace"
ROWS = f"INSERT INTO people SELECT i, 'Ada & {ADA} ' || i, 'x' FROM generate_series(1, 300) i"
SECRETS = (KEY.secret, *(KEY.of_kind(kind).hex() for kind in KEYED))
MASKS: Masks = {
    "public.people.name": "name",
    "public.people.other": {"with": "sql", "expression": "left({column}, 1)"},
}


def with_sql(expression: str) -> Masks:
    return {"public.people.name": {"with": "sql", "expression": expression}}


RAISES = """
CREATE FUNCTION raises(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    IF $1 IS NOT NULL THEN
        RAISE SQLSTATE '{state}' USING MESSAGE = $1, DETAIL = $1, HINT = $1, TABLE = $1;
    END IF;
    RETURN NULL;
END $$;
"""
ERRORS = {
    "division by zero": ("", "(1 / (length({column}) - length(name)))::text", "22012"),
    "overflow": ("", "(length({column}) * 2000000000)::text", "22003"),
    "invalid number": ("", "({column}::int)::text", "22P02"),
    "invalid JSON": ("", "{column}::jsonb ->> 'a'", "22P02"),
    "invalid tsquery": ("", "({column} || ' ' || {column})::tsquery::text", "42601"),
    "invalid jsonpath": ("", "{column}::jsonpath::text", "42601"),
    "invalid regular expression": ("", "regexp_replace('a', {column} || '(', '')", "2201B"),
    "inlined function": (
        "CREATE FUNCTION public.query(text) RETURNS text LANGUAGE sql IMMUTABLE AS"
        " 'SELECT (($1 || '' '' || $1)::tsquery)::text';",
        "public.query({column})",
        "42601",
    ),
    "raised": (RAISES.format(state="P0001"), "public.raises({column})", "P0001"),
    "raised as a right": (RAISES.format(state="42501"), "public.raises({column})", "42501"),
    "raised as a name": (RAISES.format(state="42P01"), "public.raises({column})", "42P01"),
}


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(("functions", "expression", "state"), ERRORS.values(), ids=ERRORS.keys())
def test_an_error_of_the_source_tells_its_sqlstate_and_no_value(
    databases: Databases,
    logged: io.StringIO,
    functions: str,
    expression: str,
    state: str,
    *,
    dry_run: bool,
) -> None:
    pair = databases.pair(TABLE + functions, source=ROWS)

    with pytest.raises(StagingSyncError) as caught:
        sync_masked(pair, with_sql(expression), dry_run=dry_run, reviewed=["*.other"])

    told = json.dumps([str(caught.value), caught.value.message, *caught.value.reasons])
    assert f"SQLSTATE {state}" in told
    assert "public.people" in told
    assert ADA not in told
    assert ADA not in logged.getvalue()
    assert pair.target.value("SELECT count(*) FROM people") == 0


def test_report_and_log_hold_no_value(databases: Databases, logged: io.StringIO) -> None:
    pair = databases.pair(TABLE, source=ROWS, target="INSERT INTO people VALUES (1, 'a', 'b')")

    planned = sync_masked(pair, MASKS, dry_run=True)
    result = sync_masked(pair, MASKS)

    for told in (json.dumps([planned.report(), result.report()]), logged.getvalue()):
        assert ADA not in told
        assert not [secret for secret in SECRETS if secret in told]
    assert "table written" in logged.getvalue()


def test_the_lists_of_a_comparison_hold_hashes_only(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pair = databases.pair(TABLE, source=ROWS, target="INSERT INTO people VALUES (1, 'a', 'b')")
    written: list[bytes] = []

    def on_disk(block: bytearray) -> IO[bytes]:
        written.append(bytes(block))
        file = tempfile.TemporaryFile(dir=tmp_path)  # noqa: SIM115  # as the original
        file.write(zlib.compress(block))
        file.flush()
        return file

    monkeypatch.setattr(spool, "BLOCK", 1)
    monkeypatch.setattr(spool, "_on_disk", on_disk)

    sync_masked(pair, MASKS)

    lines = b"".join(written).decode().splitlines()
    assert len(lines) > 5
    assert not [line for line in lines if not re.fullmatch(r"[-\d\t]+(\t[tf])?", line)]


@pytest.fixture(scope="module")
def watched() -> Iterator[EmbeddedPostgres]:
    """A server that logs every statement, and has pg_stat_statements."""
    programs = system_programs()
    if programs is None:
        pytest.skip("needs your system's PostgreSQL with its contrib modules")
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.track": "all",
        "log_statement": "all",
    }
    with temporary_server(bin_dir=programs, settings=settings) as running:
        yield running


class Watch:
    """What pg_stat_activity showed during a with statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[str] = set()

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        with contextlib.closing(self._database.connect()) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            while not self._is_over.wait(0.001):
                cursor.execute(
                    "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND application_name LIKE 'staging-sync%'"
                )
                self.seen |= {query for (query,) in cursor.fetchall()}


def test_the_key_is_in_no_statement_but_the_one_that_sets_it(watched: EmbeddedPostgres) -> None:
    made = Databases(watched)
    many = ROWS.replace("300", "60000")
    pair = made.pair(TABLE + "CREATE EXTENSION pg_stat_statements;", source=many)
    masks: Masks = {"public.people.name": "name", "public.people.other": "hash"}

    with Watch(pair.source) as watch:
        sync_masked(pair, masks)
        pair.source.execute("UPDATE people SET name = 'x' WHERE id < 9")
        sync_masked(pair, masks)

    assert any(query.startswith("COPY (") for query in watch.seen)
    holding = {query for query in watch.seen if any(secret in query for secret in SECRETS)}
    assert all(query.startswith("SELECT pg_catalog.set_config(") for query in holding)
    kept = [query for (query,) in pair.source.rows("SELECT query FROM pg_stat_statements")]
    assert any("COPY (" in query for query in kept)
    assert any("set_config($1, $2, $3)" in query for query in kept)
    assert not [query for query in kept if any(secret in query for secret in SECRETS)]
    log = (watched.socket_dir / "server.log").read_text()
    statements = re.split(r"\n(?=\d{4}-\d\d-\d\d )", log)
    in_log = [each for each in statements if any(secret in each for secret in SECRETS)]
    assert in_log
    assert all("SELECT pg_catalog.set_config(" in each for each in in_log)
    assert not [each for each in statements if KEY.secret in each]
    made.drop_all()


@pytest.fixture(scope="module")
def pooler(server: EmbeddedPostgres) -> Iterator[Pooler]:
    with pooler_before(server) as running:
        yield running


def keys_found(pooler: Pooler, database: Database) -> Any:
    """Return the keys that the application's next client finds on the pool's connection."""
    with contextlib.closing(psycopg2.connect(pooler.url(database))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('staging_sync.mask_keys', true)")
        ((found,),) = cursor.fetchall()
        return found


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind_a_pooler(
    databases: Databases, pooler: Pooler, *, dry_run: bool, fails: bool
) -> None:
    check = "CHECK (name LIKE 'Ada%')" if fails else ""
    pair = databases.pair(TABLE, source=ROWS)
    pair.target.execute(f"ALTER TABLE people ADD {check}" if fails else "SELECT 1")
    before = [pooler.application_finds(database) for database in pair]
    expected = pytest.raises(StagingSyncError) if fails else contextlib.nullcontext()

    with expected:
        sync_masked(
            pair,
            MASKS,
            dry_run=dry_run,
            source=pooler.address(pair.source),
            target=pooler.address(pair.target),
        )

    assert [pooler.application_finds(database) for database in pair] == before
    assert [keys_found(pooler, database) in {"", None} for database in pair] == [True, True]


def test_rules_show_no_key() -> None:
    assert KEY.secret not in repr(mask_rules(MASKS))
    assert KEY.secret not in repr(KEY)
