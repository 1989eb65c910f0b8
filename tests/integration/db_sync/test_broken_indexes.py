"""An index that lacks rows, as after an upgrade of the system's libc, never hides a difference.

Rows are written while the index takes none, so no query finds them through it.
"""

import pytest

from common.errors import VerificationFailed
from db_sync.tuning import Tuning
from db_sync.write import merge
from sandbox.database import Database
from tests.integration.db_sync.syncing import assert_same, sync
from tests.support.databases import Databases, Pair

NUMBERED = "CREATE TABLE t (id bigint PRIMARY KEY, v text)"
NUMBERED_ROWS = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 10000) i"
NAMED = "CREATE TABLE t (id text PRIMARY KEY, v text)"
# Its index has all of its columns and is a tenth of its size.
COVERED = "CREATE TABLE t (id int PRIMARY KEY) WITH (fillfactor = 10)"
COVERED_ROWS = "INSERT INTO t SELECT generate_series(1, 20000)"


def write_unseen(database: Database, statement: str) -> None:
    """Run a statement whose rows are not added to the index of t's key."""
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 't_pkey'::regclass"
    database.execute(ready.format("false"))
    database.execute(statement)
    database.execute(ready.format("true"))


def assert_untouched(pair: Pair, before: str) -> None:
    assert pair.target.contents() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES (20000, 'production has none')",
        "DELETE FROM t WHERE id = 777; INSERT INTO t VALUES (777, 'old')",
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_row_missing_from_the_targets_index_is_never_reported_as_verified(
    databases: Databases, statement: str, dry_run: bool
) -> None:
    pair = databases.pair(NUMBERED, source=NUMBERED_ROWS, target=NUMBERED_ROWS)
    write_unseen(pair.target, statement)
    before = pair.target.contents()

    with pytest.raises(VerificationFailed, match=r'target.* REINDEX TABLE "public"'):
        sync(pair, dry_run=dry_run)

    assert_untouched(pair, before)
    pair.target.execute("REINDEX TABLE t")
    sync(pair)
    assert_same(pair)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_row_missing_from_productions_index_is_reported_for_the_source(
    databases: Databases, dry_run: bool
) -> None:
    pair = databases.pair(NUMBERED, source=NUMBERED_ROWS, target=NUMBERED_ROWS)
    write_unseen(pair.source, "INSERT INTO t VALUES (20000, 'new')")
    before = pair.target.contents()

    with pytest.raises(VerificationFailed, match=r'source.* REINDEX TABLE "public"'):
        sync(pair, dry_run=dry_run)

    assert_untouched(pair, before)


JOINS = ("hashjoin", "mergejoin", "nestloop")


@pytest.mark.parametrize("join", JOINS)
def test_a_row_missing_from_the_index_of_a_text_key_is_corrected_or_the_sync_refused(
    databases: Databases, join: str
) -> None:
    rows = "INSERT INTO t SELECT 'k' || i, 'row ' || i FROM generate_series(1, 10000) i"
    pair = databases.pair(NAMED, source=rows, target=rows)
    write_unseen(
        pair.target, "DELETE FROM t WHERE id = 'k777'; INSERT INTO t VALUES ('k777', 'old')"
    )
    for other in set(JOINS) - {join}:
        pair.target.execute(f"ALTER DATABASE {pair.target.name} SET enable_{other} = off")
    before = pair.target.contents()

    refused = ""
    try:
        sync(pair)
    except VerificationFailed as error:
        refused = str(error)

    if refused:
        assert 'REINDEX TABLE "public"."t"' in refused
        assert_untouched(pair, before)
    else:
        assert_same(pair)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_row_missing_from_an_index_of_all_columns_is_found(
    databases: Databases, side: str
) -> None:
    pair = databases.pair(COVERED, source=COVERED_ROWS, target=COVERED_ROWS)
    for database in pair:
        database.execute("VACUUM (ANALYZE) t")
    write_unseen(getattr(pair, side), "INSERT INTO t VALUES (90000)")

    with pytest.raises(VerificationFailed, match=f'{side}.* REINDEX TABLE "public"'):
        sync(pair)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_table_whose_index_is_empty_is_not_treated_as_empty(
    databases: Databases, side: str
) -> None:
    pair = databases.pair(COVERED)
    for database in pair:
        database.execute(f"ALTER DATABASE {database.name} SET enable_seqscan = off")
    write_unseen(getattr(pair, side), "INSERT INTO t VALUES (90000)")

    sync(pair)

    for database in pair:
        database.execute(f"ALTER DATABASE {database.name} RESET enable_seqscan")
    assert_same(pair)


def test_rows_are_counted_after_the_writing_without_an_index(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the index had had all rows before.
    monkeypatch.setattr(merge, "require_all_found", lambda *_: None)
    pair = databases.pair(NUMBERED, source=NUMBERED_ROWS, target=NUMBERED_ROWS)
    write_unseen(pair.target, "DELETE FROM t WHERE id = 777; INSERT INTO t VALUES (777, 'old')")
    before = pair.target.contents()

    with pytest.raises(VerificationFailed, match=r"10001 rows .* 10000, .* REINDEX TABLE"):
        sync(pair, tuning=Tuning(max_rows_verified_whole=0))

    assert_untouched(pair, before)
