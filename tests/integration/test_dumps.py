"""The dumps by which tests compare databases: no change may escape them."""

import pytest

from tests.support.databases import Databases

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE t (
    id int PRIMARY KEY, name text DEFAULT 'a', mood mood, parent int REFERENCES parents,
    CONSTRAINT short CHECK (length(name) < 9)
);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER keeps BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION keep();
CREATE RULE ignore AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE VIEW names AS SELECT name FROM t;
CREATE SEQUENCE numbers
"""
CHANGES = [
    "ALTER TABLE t ADD note text",
    "ALTER TABLE t ALTER name SET DEFAULT 'b'",
    "ALTER TABLE t ALTER name SET NOT NULL",
    "ALTER TABLE t DISABLE TRIGGER keeps",
    "ALTER TABLE t ENABLE ALWAYS RULE ignore",
    "ALTER TABLE t DROP CONSTRAINT t_parent_fkey",
    "ALTER TABLE t DROP CONSTRAINT short, ADD CONSTRAINT short CHECK (length(name) < 9) NOT VALID",
    "ALTER TABLE t FORCE ROW LEVEL SECURITY",
    "ALTER TABLE t OWNER TO pg_monitor",
    "ALTER TABLE t REPLICA IDENTITY FULL",
    "ALTER TYPE mood ADD VALUE 'glad'",
    "ALTER SEQUENCE numbers INCREMENT 2",
    "COMMENT ON CONSTRAINT short ON t IS 'short'",
    "CREATE INDEX ON t (name)",
    "CREATE OR REPLACE VIEW names AS SELECT upper(name) AS name FROM t",
    "GRANT SELECT ON t TO PUBLIC",
]
ROWS = "INSERT INTO parents VALUES (1), (2); INSERT INTO t VALUES (1, '', 'sad', 1)"
OTHER_ROWS = [
    "UPDATE t SET name = NULL",
    "UPDATE t SET parent = 2",
    "DELETE FROM parents WHERE id = 2",
    "INSERT INTO parents VALUES (3)",
    "SELECT lo_from_bytea(4711, 'x')",
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_schema_is_seen_and_its_like_in_a_copy_too(
    databases: Databases, change: str
) -> None:
    database, copy = databases.make(SCHEMA), databases.make(SCHEMA)
    before = database.schema()
    assert copy.schema() == before

    database.execute(change)

    assert database.schema() != before
    assert copy.schema() == before


def test_a_schema_that_is_changed_and_changed_back_is_the_same(databases: Databases) -> None:
    database = databases.make(SCHEMA)
    before = database.schema()

    database.execute(
        "ALTER TABLE t DROP CONSTRAINT t_parent_fkey;"
        "ALTER TABLE t ADD FOREIGN KEY (parent) REFERENCES parents;"
        "TRUNCATE t; CREATE TEMPORARY TABLE gone (id int)"
    )

    assert database.schema() == before


@pytest.mark.parametrize("change", OTHER_ROWS)
def test_a_change_of_the_rows_is_seen(databases: Databases, change: str) -> None:
    database = databases.make(SCHEMA, ROWS)
    before = database.contents()
    assert databases.make(SCHEMA, ROWS).contents() == before

    database.execute(change)

    assert database.contents() != before
