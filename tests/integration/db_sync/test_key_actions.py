"""Foreign keys that would change rows that are to stay, or that production defines differently."""

import pytest

from common.errors import SchemaMismatch
from common.reports.sync import SyncResult
from db_sync.rules import SyncRules
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases, Pair

# Each has three tables of its own: p0, c0, g0, …
ACTIONS = (
    "",
    "ON DELETE RESTRICT ON UPDATE RESTRICT",
    "DEFERRABLE INITIALLY DEFERRED",
    "ON DELETE CASCADE ON UPDATE CASCADE",
    "ON DELETE SET NULL ON UPDATE SET NULL",
    "ON DELETE SET DEFAULT ON UPDATE SET DEFAULT",
)
# With a deferrable unique constraint, foreign keys are not disabled for a superuser either.
ROLES = ("owner", "superuser", "superuser beside a deferrable unique constraint")
SCHEMA = """
CREATE TABLE p# (id int PRIMARY KEY, code text NOT NULL UNIQUE, slot int);
CREATE TABLE c# (
    id int PRIMARY KEY, code text DEFAULT 'p 1' REFERENCES p# (code) {action}, v text
);
CREATE TABLE g# (id int PRIMARY KEY, c_id int REFERENCES c# ON DELETE CASCADE);
"""
ROWS = """
INSERT INTO p# SELECT i, 'p ' || i, i FROM generate_series(1, 20) i;
INSERT INTO c# SELECT i, 'p ' || (1 + i % 20), 'c ' || i FROM generate_series(1, 400) i;
INSERT INTO g# SELECT i, i FROM generate_series(1, 400) i;
ANALYZE p#, c#, g#;
"""


def each(statements: str) -> str:
    """Return statements for the tables of every action."""
    return ";".join(
        statements.replace("#", str(number)).replace("{action}", action)
        for number, action in enumerate(ACTIONS)
    )


def make(databases: Databases, role: str) -> Pair:
    deferrable = "; ALTER TABLE p# ADD UNIQUE (slot) DEFERRABLE" if "deferrable" in role else ""
    rows = each(ROWS)
    return databases.pair(each(SCHEMA + deferrable), rows, rows)


def run(pair: Pair, role: str, *, rules: str = "{}", dry_run: bool = False) -> SyncResult:
    target = own_tables(pair, "table_owner") if role == "owner" else None
    return sync(pair, target=target, rules=SyncRules.parse(rules), dry_run=dry_run)


MOVES = {
    "one parent": "UPDATE p# SET id = 1007 WHERE id = 7",
    "every parent": "UPDATE p# SET id = id + 1000",
    "a parent whose children change too": "UPDATE p# SET id = 1007 WHERE id = 7;"
    "UPDATE c# SET v = v || '!' WHERE code = 'p 7' AND id % 2 = 0; DELETE FROM g# WHERE id = 6;"
    "DELETE FROM c# WHERE id = 6; INSERT INTO c# VALUES (401, 'p 7', 'new')",
    "two parents that swap values": "UPDATE p# SET code = 'tmp' WHERE id = 7;"
    "UPDATE p# SET id = 1007 WHERE id = 8; UPDATE p# SET code = 'p 7' WHERE id = 1007;"
    "UPDATE p# SET code = 'p 8' WHERE id = 7",
    "a parent that is deleted with its children": "DELETE FROM g# WHERE c_id % 20 = 6;"
    "DELETE FROM c# WHERE code = 'p 7'; DELETE FROM p# WHERE id = 7",
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("role", ROLES)
def test_children_stay_when_only_another_key_of_their_parents_changes(
    databases: Databases, role: str, move: str
) -> None:
    pair = make(databases, role)
    pair.source.execute(f"SET session_replication_role = replica; {each(MOVES[move])}")

    run(pair, role)

    assert_same(pair)
    assert run(pair, role).status == "unchanged"


@pytest.mark.parametrize("role", ROLES)
def test_unsynced_children_stay_when_only_another_key_of_their_parents_changes(
    databases: Databases, role: str
) -> None:
    pair = make(databases, role)
    pair.source.execute(
        f"SET session_replication_role = replica; {each('UPDATE p# SET id = 1007 WHERE id = 7')}"
    )
    children = [f"c{number}" for number in range(len(ACTIONS))]
    before = {name: pair.target.rows(f"SELECT * FROM {name} ORDER BY id") for name in children}
    exclude = ", ".join(f'"public.{name}"' for name in children)

    run(pair, role, rules=f'{{"exclude": [{exclude}]}}')

    after = {name: pair.target.rows(f"SELECT * FROM {name} ORDER BY id") for name in children}
    assert after == before
    assert pair.target.value("SELECT code FROM p3 WHERE id = 1007") == "p 7"


BROKEN = f"SET session_replication_role = replica; {each('DELETE FROM p# WHERE id = 7')}"
BREACHES = [
    f"20 rows of public.c{number} break its foreign key c{number}_code_fkey to public.p{number}"
    for number in range(len(ACTIONS))
]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    "edit",
    ["SELECT 1", "UPDATE c# SET v = '!' WHERE id = 1", "UPDATE c# SET v = '!'", "TRUNCATE c#, g#"],
    ids=["none", "one child", "every child", "a target without children"],
)
@pytest.mark.parametrize("role", ROLES)
def test_a_key_that_productions_rows_violate_deletes_or_changes_no_row(
    databases: Databases, role: str, edit: str, dry_run: bool
) -> None:
    pair = make(databases, role)
    pair.source.execute(BROKEN)
    (pair.target if "TRUNCATE" in edit else pair.source).execute(each(edit))
    before = pair.target.contents()

    if role == "superuser":
        warnings = " ".join(run(pair, role, dry_run=dry_run).warnings)

        assert pair.target.contents() == (before if dry_run else pair.source.contents())
        assert [breach for breach in BREACHES if breach not in warnings] == []
        return
    with pytest.raises(SchemaMismatch) as refused:
        run(pair, role, dry_run=dry_run)
    assert [breach for breach in BREACHES if breach not in str(refused.value)] == []
    assert "production's rows break its own key in the same way" in str(refused.value)
    assert pair.target.contents() == before


# The types of production's column and of ours, values of parents, and values of their children
# that are equal for production's type only.
MEANINGS = {
    "citext": ("citext", "text", ["a", "b"], ["A", "B"]),
    "numeric": ("numeric", "text", ["1.0", "2.0"], ["1.00", "2.00"]),
    "char": ("char(4)", "text", ["a", "b"], ["a ", "b"]),
    "collation": ("text COLLATE caseless", "text", ["a", "b"], ["A", "B"]),
}
CASELESS = """
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE EXTENSION citext;
"""


@pytest.mark.parametrize("role", ["owner", "superuser"])
@pytest.mark.parametrize("meaning", ["citext", "numeric", "collation"])
@pytest.mark.parametrize(
    "edit", ["UPDATE c SET v = 'x' WHERE id = 1", "DELETE FROM p WHERE id = 9"]
)
def test_a_key_of_production_that_compares_differently_proves_nothing_about_ours(
    system_databases: Databases, role: str, meaning: str, edit: str
) -> None:
    theirs, ours, parents, children = MEANINGS[meaning]
    tables = (
        "CREATE TABLE p (id int PRIMARY KEY, code {} UNIQUE);"
        "CREATE TABLE c (id int PRIMARY KEY, code {} REFERENCES p (code) ON DELETE CASCADE, v text)"
    )
    same = (
        "INSERT INTO p VALUES (1, '{}'), (2, '{}'), (9, '9');"
        "INSERT INTO c VALUES (1, '{}', ''), (2, '{}', '')"
    )
    pair = Pair(
        system_databases.make(CASELESS + tables.format(theirs, theirs)),
        system_databases.make(CASELESS + tables.format(ours, ours)),
    )
    pair.target.mark()
    pair.source.execute(same.format(*parents, *children))
    pair.target.execute(same.format(*parents, *parents))
    pair.source.execute(edit)
    before = pair.target.contents()

    with pytest.raises(
        SchemaMismatch, match=r"rows of public\.c break its foreign key c_code_fkey"
    ):
        run(pair, role)

    assert pair.target.contents() == before


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_row_with_a_partly_null_key_violates_a_match_full_key(
    databases: Databases, role: str
) -> None:
    pair = Pair(
        *(
            databases.make(
                "CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));"
                "CREATE TABLE c (id int PRIMARY KEY, a int, b int,"
                f" FOREIGN KEY (a, b) REFERENCES p MATCH {match})",
                "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1, 1, 1)",
            )
            for match in ("SIMPLE", "FULL")
        )
    )
    pair.target.mark()
    pair.source.execute("UPDATE c SET b = NULL")

    with pytest.raises(
        SchemaMismatch, match=r"1 rows of public\.c break its foreign key c_a_b_fkey"
    ):
        run(pair, role)

    assert pair.target.rows("SELECT * FROM c") == [(1, 1, 1)]


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_tables_that_inherit_are_neither_children_nor_parents(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE p_heir () INHERITS (p);"
        "CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p);"
        "CREATE TABLE c_heir () INHERITS (c)",
        source="INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1);"
        "INSERT INTO c_heir VALUES (2, 99)",
    )
    pair.target.execute(
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey;"
        "ALTER TABLE c ADD CONSTRAINT own FOREIGN KEY (p_id) REFERENCES p"
    )

    result = run(pair, role)

    assert_same(pair)
    assert result.warnings == ()


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_columns_of_two_collations_can_be_compared(system_databases: Databases, role: str) -> None:
    schema = """
    CREATE TABLE p (id text COLLATE "C" PRIMARY KEY);
    CREATE TABLE c (id int PRIMARY KEY, p_id varchar(9) COLLATE "en-x-icu" REFERENCES p);
    """
    rows = "INSERT INTO p VALUES ('a'), ('b'); INSERT INTO c VALUES (1, 'a'), (2, 'b')"
    pair = system_databases.pair(schema, rows, rows)
    pair.source.execute(
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey;"
        "DELETE FROM c WHERE id = 2; DELETE FROM p WHERE id = 'b';"
        "INSERT INTO p VALUES ('ä'); INSERT INTO c VALUES (3, 'ä')"
    )

    run(pair, role)

    assert_same(pair)
