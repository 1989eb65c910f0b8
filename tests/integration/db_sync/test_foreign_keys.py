"""For a role that only owns the tables, foreign keys stay in place wherever that is possible."""

import pytest

from common.errors import SchemaMismatch
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

SCHEMA = """
CREATE TABLE authors (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE books (
    id int PRIMARY KEY, author_id int NOT NULL REFERENCES authors, sequel_of int REFERENCES books,
    title text
);
CREATE TABLE pages (book_id int REFERENCES books, number int, PRIMARY KEY (book_id, number));
"""
ROWS = """
INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 20) i;
INSERT INTO books
SELECT i, 1 + i % 20, nullif(i / 2, 0), 'book ' || i FROM generate_series(1, 60) i;
INSERT INTO pages SELECT i, n FROM generate_series(1, 60) i, generate_series(1, 3) n;
"""
EDITS = {
    "changed rows that others refer to": "UPDATE books SET title = title || '!' WHERE id % 5 = 0",
    "new rows in every table": "INSERT INTO authors VALUES (21, 'new'); INSERT INTO books VALUES"
    " (61, 21, 60, 'new'), (62, 21, 61, 'newer'); INSERT INTO pages VALUES (62, 1)",
    "rows gone from every table": "DELETE FROM pages WHERE book_id > 50; DELETE FROM books WHERE id"
    " > 50; DELETE FROM authors WHERE NOT EXISTS (SELECT FROM books WHERE author_id = authors.id)",
    "gone and new": "DELETE FROM pages WHERE book_id = 60; DELETE FROM books WHERE id = 60;"
    "INSERT INTO books VALUES (61, 1, 59, 'new')",
}
# Changes that no order of UPDATEs can make, with the foreign keys to the changed rows, which are
# deleted and inserted again.
TANGLES = {
    "unique values change places": (
        "UPDATE authors SET name = 'tmp' WHERE id = 1;"
        "UPDATE authors SET name = 'author 1' WHERE id = 2;"
        "UPDATE authors SET name = 'author 2' WHERE id = 1",
        {"books_author_id_fkey"},
    ),
    "a row leaves a parent that is gone": (
        "INSERT INTO authors VALUES (99, 'heir');"
        "UPDATE books SET author_id = 99 WHERE author_id = 3; DELETE FROM authors WHERE id = 3",
        {"books_sequel_of_fkey", "pages_book_id_fkey"},
    ),
    "a row leaves a parent of its own table": (
        "UPDATE books SET sequel_of = NULL WHERE sequel_of = 30;"
        "DELETE FROM pages WHERE book_id = 30; DELETE FROM books WHERE id = 30",
        {"books_sequel_of_fkey", "pages_book_id_fkey"},
    ),
}


def keys(pair: Pair) -> dict[str, int]:
    return dict(
        pair.target.rows("SELECT conname, oid::bigint FROM pg_constraint WHERE contype = 'f'")
    )


@pytest.mark.parametrize("edit", EDITS)
def test_foreign_keys_stay_in_place_while_some_rows_are_written(
    databases: Databases, edit: str
) -> None:
    pair = databases.pair(SCHEMA, ROWS, ROWS)
    pair.source.execute(EDITS[edit])
    before = keys(pair)

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)
    assert keys(pair) == before


@pytest.mark.parametrize("edit", TANGLES)
def test_rows_for_which_no_order_of_writing_exists_are_written_without_the_foreign_keys(
    databases: Databases, edit: str
) -> None:
    pair = databases.pair(SCHEMA, ROWS, ROWS)
    statements, to_be_dropped = TANGLES[edit]
    pair.source.execute(statements)
    before = keys(pair)

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)
    after = keys(pair)
    assert {name for name in before if after[name] != before[name]} == to_be_dropped


def test_rows_can_swap_values_under_a_partial_unique_index(databases: Databases) -> None:
    parcels = "INSERT INTO parcels VALUES (1, 1), (2, 2), (3, 3), (4, 4)"
    pair = databases.pair(
        """
        CREATE TABLE addresses (id int PRIMARY KEY, person int, is_main bool NOT NULL);
        CREATE UNIQUE INDEX ON addresses (person) WHERE is_main;
        CREATE TABLE parcels (id int PRIMARY KEY, address_id int NOT NULL REFERENCES addresses);
        """,
        source="INSERT INTO addresses"
        f" VALUES (1, 7, true), (2, 7, false), (3, 8, false), (4, 8, true); {parcels}",
        target="INSERT INTO addresses"
        f" VALUES (1, 7, false), (2, 7, true), (3, 8, true), (4, 8, false); {parcels}",
    )

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)


def test_an_unsynced_child_keeps_its_rows_although_its_key_would_cascade(
    databases: Databases,
) -> None:
    pair = databases.pair(
        SCHEMA + "CREATE TABLE notes (book_id int REFERENCES books ON DELETE CASCADE)", ROWS, ROWS
    )
    pair.target.execute("INSERT INTO notes VALUES (60)")
    pair.source.execute("DELETE FROM pages WHERE book_id = 60; DELETE FROM books WHERE id = 60")
    rules = SyncRules.parse('{"exclude": ["public.notes"]}')

    with pytest.raises(SchemaMismatch, match="notes_book_id_fkey"):
        sync(pair, target=own_tables(pair, "table_owner"), rules=rules)

    assert pair.target.value("SELECT count(*) FROM notes") == 1
    assert pair.target.value("SELECT count(*) FROM books") == 60


def test_a_cascade_that_only_the_targets_key_has_deletes_nothing(
    databases: Databases,
) -> None:
    pair = databases.pair(
        """
        CREATE TABLE parents (id int PRIMARY KEY);
        CREATE TABLE children (id int PRIMARY KEY, parent_id int, v text);
        INSERT INTO parents SELECT generate_series(1, 100);
        INSERT INTO children SELECT i, i % 100 + 1, 'x' FROM generate_series(1, 5000) i;
        ANALYZE;
        """,
        source="DELETE FROM parents WHERE id = 50; UPDATE children SET v = 'y' WHERE id = 4999",
        target="ALTER TABLE children ADD FOREIGN KEY (parent_id) REFERENCES parents"
        " ON DELETE CASCADE",
    )

    with pytest.raises(SchemaMismatch, match="children_parent_id_fkey"):
        sync(pair, target=own_tables(pair, "table_owner"))

    assert pair.target.value("SELECT count(*) FROM children") == 5000


@pytest.mark.parametrize("role", ["superuser", "owner"])
def test_a_foreign_key_between_kept_columns_is_checked(databases: Databases, role: str) -> None:
    pair = databases.pair(
        "CREATE TABLE people (id int PRIMARY KEY, sub text NOT NULL UNIQUE);"
        "CREATE TABLE logins (id int PRIMARY KEY, sub text NOT NULL REFERENCES people (sub))",
        source="INSERT INTO people VALUES (1, 'ours'); INSERT INTO logins VALUES (2, 'ours')",
        target="INSERT INTO people VALUES (1, 'own'); INSERT INTO logins VALUES (1, 'own')",
    )
    target = own_tables(pair, "table_owner") if role == "owner" else None
    rules = SyncRules.parse('{"keep": ["public.people.sub", "public.logins.sub"]}')

    with pytest.raises(SchemaMismatch, match="logins_sub_fkey"):
        sync(pair, target=target, rules=rules)

    assert pair.target.rows("SELECT * FROM logins") == [(1, "own")]


def test_a_foreign_key_of_a_single_partition_is_checked(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE parents (id int PRIMARY KEY);
        CREATE TABLE children (id int PRIMARY KEY, parent_id int) PARTITION BY RANGE (id);
        CREATE TABLE first_children PARTITION OF children FOR VALUES FROM (1) TO (1000);
        """,
        source="INSERT INTO children VALUES (1, 1)",
        target="ALTER TABLE first_children ADD FOREIGN KEY (parent_id) REFERENCES parents",
    )

    with pytest.raises(SchemaMismatch, match="first_children_parent_id_fkey"):
        sync(pair)


def test_rows_that_violate_a_not_valid_foreign_key_are_copied(databases: Databases) -> None:
    pair = databases.pair(SCHEMA, ROWS, ROWS)
    for side in pair:
        side.execute(
            "ALTER TABLE pages DROP CONSTRAINT pages_book_id_fkey;"
            "ALTER TABLE pages"
            " ADD CONSTRAINT loose FOREIGN KEY (book_id) REFERENCES books NOT VALID;"
            "COMMENT ON CONSTRAINT loose ON pages IS 'why'"
        )
    pair.source.execute("SET session_replication_role = replica; INSERT INTO pages VALUES (999, 1)")

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)


def test_values_of_the_targets_own_columns_survive_an_update(
    databases: Databases,
) -> None:
    pair = databases.pair(SCHEMA, ROWS, ROWS)
    pair.target.execute("ALTER TABLE books ADD own text; UPDATE books SET own = 'own ' || id")
    pair.source.execute("UPDATE books SET title = title || '!' WHERE id IN (3, 5)")
    before = keys(pair)

    sync(pair, target=own_tables(pair, "table_owner"))

    assert pair.target.value("SELECT count(*) FROM books WHERE own = 'own ' || id") == 60
    assert pair.target.value("SELECT count(*) FROM books WHERE title LIKE '%!'") == 2
    assert keys(pair) == before


@pytest.mark.parametrize(
    ("columns", "edit"),
    [
        ("name text", "UPDATE parents SET name = 'new' WHERE id = 1"),
        ("", "INSERT INTO parents DEFAULT VALUES"),
    ],
    ids=["a changed row", "no column but the identity, a new row"],
)
def test_rows_with_a_generated_always_identity_are_updated_in_place(
    databases: Databases, columns: str, edit: str
) -> None:
    schema = f"""
    CREATE TABLE parents (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY{"," if columns else ""} {columns}
    );
    CREATE TABLE children (parent_id int REFERENCES parents);
    """
    rows = (
        "INSERT INTO parents (id) OVERRIDING SYSTEM VALUE SELECT generate_series(1, 9);"
        "INSERT INTO children VALUES (1); SELECT setval('parents_id_seq', 9)"
    )
    pair = databases.pair(schema, rows, rows)
    pair.source.execute(edit)
    before = keys(pair)

    sync(pair, target=own_tables(pair, "table_owner"))

    assert_same(pair)
    assert keys(pair) == before


def test_a_dry_run_foresees_both_keys_if_production_has_only_one_of_them(
    databases: Databases,
) -> None:
    # A dry run fetches the columns of foreign keys of a table that a sync would replace.
    pair = databases.pair(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, other int,"
        " p_id int REFERENCES p ON DELETE CASCADE)",
        source="INSERT INTO p VALUES (1)",
        target="INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 1)",
    )
    pair.target.execute("ALTER TABLE c ADD FOREIGN KEY (other) REFERENCES c ON DELETE CASCADE")

    foreseen = sync(pair, dry_run=True)

    done = sync(pair)
    assert_same(pair)
    assert foreseen.output()["rows_deleted"] == done.output()["rows_deleted"] == 1
