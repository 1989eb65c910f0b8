"""CHECK constraints of the target hold at the end, and refuse no row before that."""

import pytest

from common.errors import SchemaMismatch
from tests.integration.db_sync.syncing import assert_same, own_tables, sync
from tests.support.databases import Databases

BOTH_ROLES = pytest.mark.parametrize("role", ["superuser", "owner"])

# Every kind of CHECK: on a table, on an inheritance tree and some of its members, on partitions.
NOT_VALID = """
CREATE DOMAIN age AS int;
CREATE TABLE people (id int PRIMARY KEY, age age, nick text, born int, died int);
CREATE TABLE events (id int, at date, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_20 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE animals (id int PRIMARY KEY, legs int, name text);
CREATE TABLE dogs (PRIMARY KEY (id)) INHERITS (animals);
CREATE TABLE puppies (PRIMARY KEY (id)) INHERITS (dogs);
"""
CONSTRAINTS = """
ALTER TABLE people ADD CONSTRAINT nick CHECK (nick <> '%(a) {b}') NOT VALID,
    ADD CONSTRAINT "The Life" CHECK (died > born) NO INHERIT NOT VALID,
    ADD CHECK (id > 0);
COMMENT ON CONSTRAINT "The Life" ON people IS 'it''s about time';
ALTER DOMAIN age ADD CONSTRAINT grown CHECK (VALUE >= 0) NOT VALID;
COMMENT ON CONSTRAINT grown ON DOMAIN age IS 'of the domain';
ALTER TABLE events ADD CONSTRAINT few CHECK (n < 100) NOT VALID;
ALTER TABLE events_20 ADD CONSTRAINT many CHECK (n > 10) NOT VALID;
COMMENT ON CONSTRAINT few ON events IS 'of the root';
COMMENT ON CONSTRAINT few ON events_20 IS 'of the partition';
ALTER TABLE events_rest VALIDATE CONSTRAINT few;
ALTER TABLE puppies ADD CONSTRAINT named CHECK (name <> '');
ALTER TABLE animals ADD CONSTRAINT four CHECK (legs = 4) NOT VALID,
    ADD CONSTRAINT named CHECK (name <> '') NOT VALID;
ALTER TABLE dogs ADD CONSTRAINT four CHECK (legs = 4) NOT VALID;
COMMENT ON CONSTRAINT four ON dogs IS 'of the dogs';
"""
BREAKING = """
INSERT INTO people VALUES (1, -1, '%(a) {b}', 20, 10), (2, 5, 'b', 1, 2);
INSERT INTO events VALUES (1, '2020-05-05', 5), (2, '2020-06-06', 500), (3, '2022-01-01', 50);
INSERT INTO animals VALUES (1, 2, '');
INSERT INTO dogs VALUES (2, 3, '');
INSERT INTO puppies VALUES (3, 3, 'c');
"""
STATES = """
SELECT coalesce(conrelid::regclass::text, contypid::regtype::text), conname, convalidated,
    connoinherit, conislocal, coninhcount, obj_description(oid), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'c' ORDER BY 1, 2
"""


@BOTH_ROLES
@pytest.mark.parametrize("old", ["", "a few"])
def test_rows_that_violate_a_not_valid_check_are_copied(
    databases: Databases, role: str, old: str
) -> None:
    pair = databases.pair(
        NOT_VALID,
        source=BREAKING + CONSTRAINTS,
        target="""
        INSERT INTO people VALUES (2, 1, 'x', 1, 2), (7, 1, 'x', 1, 2);
        INSERT INTO events VALUES (1, '2020-05-05', 50), (3, '2022-01-01', 5);
        INSERT INTO animals VALUES (5, 4, 'x');
        INSERT INTO dogs VALUES (5, 4, 'x');
        INSERT INTO puppies VALUES (5, 4, 'x');
        """
        * bool(old)
        + CONSTRAINTS,
    )
    target = pair.target.address
    if role == "owner":
        target = own_tables(pair, "table_owner")
        pair.target.execute("ALTER DOMAIN age OWNER TO table_owner")
    states = pair.target.rows(STATES)

    assert sync(pair, target=target, dry_run=True).status == "dry_run"
    assert sync(pair, target=target).warnings == ()

    assert_same(pair)
    assert pair.target.rows(STATES) == states
    assert sync(pair, target=target).status == "unchanged"


def test_a_row_that_violates_a_valid_check_is_refused(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE TABLE t (id int, n int)",
        source="INSERT INTO t VALUES (1, 1)",
        target="ALTER TABLE t ADD CHECK (n > 1)",
    )

    with pytest.raises(SchemaMismatch, match=r"table public\.t, constraint t_n_check"):
        sync(pair)


def test_a_not_valid_check_of_another_roles_domain_is_named(databases: Databases) -> None:
    pair = databases.pair(
        "CREATE DOMAIN age AS int; CREATE TABLE t (id int PRIMARY KEY, age age)",
        source="INSERT INTO t VALUES (1, -1)",
        target="ALTER DOMAIN age ADD CONSTRAINT grown CHECK (VALUE >= 0) NOT VALID",
    )
    target = own_tables(pair, "table_owner")

    with pytest.raises(SchemaMismatch, match=r"domain.*type public\.age, constraint grown"):
        sync(pair, target=target)

    assert sync(pair).status == "synced"


# `a_lines` is written before `z_orders`, which its check reads.
READS_ANOTHER = """
CREATE TABLE a_lines (id int PRIMARY KEY, z_order int, part int);
CREATE TABLE z_orders (id int PRIMARY KEY, open boolean);
CREATE TABLE parts (id int, z_order int) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE FUNCTION is_open(int) RETURNS boolean LANGUAGE sql
    AS 'SELECT coalesce(bool_or(open), false) FROM z_orders WHERE id = $1';
CREATE FUNCTION is_known(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS 'BEGIN RETURN EXISTS (SELECT FROM z_orders WHERE id = $1); END';
CREATE FUNCTION is_of(int, int) RETURNS boolean LANGUAGE sql
    AS 'SELECT EXISTS (SELECT FROM z_orders WHERE id = $2 AND open)';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = is_of);
ALTER TABLE a_lines ADD CONSTRAINT open CHECK (is_open(z_order)),
    ADD CONSTRAINT known CHECK (is_known(z_order)) NOT VALID,
    ADD CONSTRAINT of_order CHECK (id OPERATOR(public.===) z_order);
ALTER TABLE parts ADD CONSTRAINT open CHECK (is_open(z_order));
ALTER TABLE parts_2 ADD CONSTRAINT also_known CHECK (is_known(z_order));
COMMENT ON CONSTRAINT open ON a_lines IS 'while it is open';
COMMENT ON CONSTRAINT open ON parts_1 IS 'of the partition';
"""


@BOTH_ROLES
def test_a_check_may_read_a_table_that_is_written_later(databases: Databases, role: str) -> None:
    pair = databases.pair(
        READS_ANOTHER,
        source="""
        INSERT INTO z_orders VALUES (2, true), (3, true), (4, true);
        INSERT INTO a_lines VALUES (1, 2, 0), (2, 3, 0); INSERT INTO parts VALUES (1, 2), (2, 4);
        """,
        target="""
        INSERT INTO z_orders VALUES (1, true), (2, true);
        INSERT INTO a_lines VALUES (1, 1, 0), (3, 2, 0); INSERT INTO parts VALUES (1, 1);
        """,
    )
    target = own_tables(pair, "table_owner") if role == "owner" else pair.target.address
    states = pair.target.rows(STATES)

    sync(pair, target=target)

    assert pair.target.rows("TABLE a_lines") == pair.source.rows("TABLE a_lines")
    assert pair.target.rows("TABLE parts") == pair.source.rows("TABLE parts")
    assert pair.target.rows(STATES) == states
    assert sync(pair, target=target).status == "unchanged"


def test_a_violated_check_that_reads_tables_is_named(databases: Databases) -> None:
    pair = databases.pair(
        READS_ANOTHER,
        source="INSERT INTO z_orders VALUES (1, true), (4711, true);"
        " INSERT INTO a_lines VALUES (1, 1, 0), (2, 4711, 0);"
        " UPDATE z_orders SET open = false WHERE id = 4711",
    )

    with pytest.raises(
        SchemaMismatch, match=r"table public\.a_lines, constraint (open|of_order)"
    ) as refused:
        sync(pair)

    assert "4711" not in str(refused.value)
    assert pair.target.value("SELECT count(*) FROM z_orders") == 0


def test_a_domains_check_that_reads_a_table_written_later_is_named(databases: Databases) -> None:
    pair = databases.pair(
        """
        CREATE TABLE z_orders (id int PRIMARY KEY);
        CREATE FUNCTION is_known(int) RETURNS boolean LANGUAGE sql
            AS 'SELECT EXISTS (SELECT FROM public.z_orders WHERE id = $1)';
        CREATE DOMAIN z_order AS int CONSTRAINT known CHECK (is_known(VALUE));
        CREATE TABLE a_lines (id int PRIMARY KEY, z_order z_order)
        """,
        # So many that it is not among the small tables, which are filled first.
        source="INSERT INTO z_orders SELECT generate_series(1, 20000); ANALYZE z_orders;"
        "INSERT INTO a_lines VALUES (1, 4711)",
    )

    with pytest.raises(SchemaMismatch, match=r"domain.*type public\.z_order, constraint known"):
        sync(pair)
