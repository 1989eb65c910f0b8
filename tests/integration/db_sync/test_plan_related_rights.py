"""Rights on related objects: reported before anything is done, together with all others."""

import re

import pytest

from common.errors import ConfigurationError
from db_sync.rules import SyncRules
from tests.integration.db_sync.roles import run_statements_in, statements_in, sync_as
from tests.integration.db_sync.syncing import assert_same
from tests.support.databases import Databases

SCHEMA = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES parents);
CREATE TABLE tree (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF tree FOR VALUES FROM (0) TO (100);
CREATE TABLE other_leaf PARTITION OF tree FOR VALUES FROM (100) TO (200);
CREATE TABLE tied_leaf PARTITION OF tree FOR VALUES FROM (200) TO (300);
ALTER TABLE tied_leaf ADD FOREIGN KEY (n) REFERENCES a;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER acts BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE SEQUENCE numbers;
CREATE TABLE with_serial (id serial PRIMARY KEY, n int DEFAULT nextval('numbers'));
"""
ROWS = """
INSERT INTO parents VALUES (1);
INSERT INTO a VALUES (1, 1);
INSERT INTO tree VALUES (1, 1), (101, 1), (201, 1);
INSERT INTO with_serial VALUES (DEFAULT, DEFAULT), (DEFAULT, DEFAULT);
"""
EXCLUDE_PARENTS = SyncRules.parse('{"exclude": ["public.parents"]}')


def test_missing_rights_on_related_objects_are_reported_in_the_plan_all_at_once(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS, target="INSERT INTO parents VALUES (1)")
    pair.target.execute(
        f"ALTER TABLE a OWNER TO {role}; ALTER TABLE tree OWNER TO {role};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON with_serial TO {role}"
    )

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, target=role, rules=EXCLUDE_PARENTS)

    message = str(refusal.value)
    for named in ("public.parents", "public.leaf", "public.tied_leaf", "public.numbers"):
        assert re.search(rf"{re.escape(named)}\b", message)
    assert "public.with_serial_id_seq" in message
    assert "public.other_leaf" not in message
    run_statements_in(refusal.value, pair.target)
    sync_as(pair, target=role, rules=EXCLUDE_PARENTS)
    assert_same(pair)
    assert pair.target.value("SELECT nextval('numbers')") == 3


def test_a_dry_run_reports_which_rights_on_related_objects_a_sync_would_lack(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(SCHEMA, source=ROWS, target="INSERT INTO parents VALUES (1)")
    pair.target.execute(f"GRANT SELECT ON a, tree, with_serial TO {role}")

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, target=role, dry_run=True, rules=EXCLUDE_PARENTS)

    for named in ("public.parents", "public.numbers", "public.with_serial_id_seq"):
        assert named in str(refusal.value)
    for statement in statements_in(str(refusal.value)):
        assert statement.startswith("GRANT SELECT ON")
        pair.target.execute(statement)
    warnings = " ".join(sync_as(pair, target=role, dry_run=True, rules=EXCLUDE_PARENTS).warnings)
    for named in ("parents", "a", "tree", "leaf", "tied_leaf", "numbers"):
        assert re.search(rf"will be refused: [^;]*public\.{named}\b", warnings)


def test_sequences_that_the_source_role_may_not_read_are_reported_with_its_other_rights(
    databases: Databases, role: str
) -> None:
    pair = databases.pair(
        "CREATE SCHEMA shut; CREATE TABLE shut.c (id serial PRIMARY KEY)",
        source="INSERT INTO shut.c VALUES (1)",
    )

    with pytest.raises(ConfigurationError) as refusal:
        sync_as(pair, source=role)

    assert "may not read the sequence shut.c_id_seq" in str(refusal.value)
    run_statements_in(refusal.value, pair.source)
    assert sync_as(pair, source=role).warnings == ()
