"""Indexes of every kind are the same after a load as before it."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

ROWS = """
INSERT INTO t SELECT i, 'code ' || i, i % 7, md5(i::text), int4range(i, i + 1)
FROM generate_series(1, 20000) i
"""
SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL, a int, b text, r int4range);
{}
"""
# Each is dropped and rebuilt, or stays: the schema must be the same afterwards.
ANY_INDEX = {
    "plain": "CREATE INDEX ON t (b)",
    "expression": "CREATE INDEX lowered ON t (lower(b), a DESC NULLS LAST)",
    "partial": "CREATE INDEX ON t (b) WHERE a > 3",
    "storage parameters": "CREATE UNIQUE INDEX ON t (code) INCLUDE (a) WITH (fillfactor = 70)",
    "operator class": "CREATE INDEX ON t (b text_pattern_ops)",
    "another method": "CREATE INDEX ON t USING hash (b)",
    "braces": """CREATE INDEX "{{0}}" ON t ((a::text || '{{}}'))""",
    "unique constraint": "ALTER TABLE t ADD CONSTRAINT once UNIQUE (code) INCLUDE (b)",
    "fillfactor of a constraint": "ALTER TABLE t ADD UNIQUE (code) WITH (fillfactor = 60)",
    "comments": "CREATE INDEX i ON t (b); COMMENT ON INDEX i IS 'why';"
    "COMMENT ON CONSTRAINT t_pkey ON t IS 'who'",
    "clustered": "CREATE INDEX i ON t (b); CLUSTER t USING i",
    "replica identity": "CREATE UNIQUE INDEX i ON t (code); ALTER TABLE t REPLICA IDENTITY USING"
    " INDEX i",
    "statistics": "CREATE INDEX i ON t (lower(b)); ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 7",
    "deferrable": "ALTER TABLE t ADD UNIQUE (code) DEFERRABLE INITIALLY DEFERRED",
    "exclusion": "ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&)",
    "referenced": "CREATE TABLE child (id int REFERENCES t)",
    "needed by a view": "CREATE VIEW grouped AS SELECT id, b FROM t GROUP BY id",
    "own function": "CREATE FUNCTION f(text) RETURNS text IMMUTABLE LANGUAGE sql"
    " RETURN lower($1); CREATE INDEX ON t (f(b))",
    "inherited": "CREATE TABLE child () INHERITS (t)",
}


def oids(pair: Pair) -> dict[str, int]:
    return dict(
        pair.target.rows(
            "SELECT indexrelid::regclass::text, indexrelid::bigint FROM pg_index"
            " WHERE indrelid = 't'::regclass"
        )
    )


@pytest.mark.parametrize("role", ["superuser", "owner"])
@pytest.mark.parametrize("name", ANY_INDEX)
def test_after_a_load_every_index_is_as_it_was(databases: Databases, name: str, role: str) -> None:
    pair = databases.pair(SCHEMA.format(ANY_INDEX[name].format()), ROWS)
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address

    sync(pair, target=target)  # it compares the schema before and after

    assert_same(pair)
    assert pair.target.value("SELECT bool_and(indisvalid AND indisready) FROM pg_index")


def test_indexes_of_a_large_table_are_built_after_its_load(databases: Databases) -> None:
    pair = databases.pair(
        SCHEMA.format("CREATE INDEX i ON t (b); ALTER TABLE t ADD CONSTRAINT once UNIQUE (code)"),
        ROWS,
    )
    before = oids(pair)

    sync(pair)

    after = oids(pair)
    assert before.keys() == after.keys() == {"t_pkey", "i", "once"}
    assert not set(before.values()) & set(after.values())


def test_indexes_of_a_small_table_stay(databases: Databases) -> None:
    pair = databases.pair(SCHEMA.format("CREATE INDEX i ON t (b)"), ROWS.replace("20000", "50"))
    before = oids(pair)

    sync(pair)

    assert oids(pair) == before


def test_a_primary_key_that_others_refer_to_is_left_in_place(databases: Databases) -> None:
    pair = databases.pair(SCHEMA.format("CREATE TABLE child (id int REFERENCES t)"), ROWS)
    before = oids(pair)

    sync(pair)

    assert oids(pair) == before


def test_the_error_for_a_duplicate_names_the_index_that_production_lacks(
    databases: Databases,
) -> None:
    pair = databases.pair(SCHEMA.format(""), ROWS)
    pair.target.execute("ALTER TABLE t ADD CONSTRAINT once UNIQUE (a)")
    schema = pair.target.schema()

    with pytest.raises(SchemaMismatch, match="once") as refusal:
        sync(pair)

    assert "code 1" not in str(refusal.value)
    assert pair.target.value("SELECT count(*) FROM t") == 0
    assert pair.target.schema() == schema


@pytest.mark.parametrize(
    "lacks",
    [
        # In a copy of production often only the migrations' role has this right.
        "ALTER SCHEMA public OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "ALTER TABLE t OWNER TO postgres; GRANT ALL ON t TO table_owner",
        "CREATE SCHEMA shut; CREATE OPERATOR CLASS shut.mine FOR TYPE text USING btree AS"
        " OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,"
        " FUNCTION 1 bttextcmp(text, text); CREATE INDEX classy ON t (code shut.mine)",
    ],
    ids=["create on the schema", "ownership", "use of an operator class's schema"],
)
def test_indexes_that_the_role_may_not_create_stay_in_place(
    databases: Databases, lacks: str
) -> None:
    pair = databases.pair(SCHEMA.format("CREATE INDEX i ON t (b)"), ROWS)
    target = own_tables(pair, "table_owner")
    pair.target.execute(lacks)
    before = oids(pair)

    sync(pair, target=target)

    assert_same(pair)
    unchanged = {"classy"} & before.keys() or before.keys()
    assert {name: oids(pair)[name] for name in unchanged} == {
        name: before[name] for name in unchanged
    }
