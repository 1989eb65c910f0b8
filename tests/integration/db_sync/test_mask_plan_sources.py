"""Sources that mask-plan may meet: unreadable, empty, locked, large, wide and odd tables."""

import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest

from common.postgres.connection.statements import Connection
from common.postgres.names import Name
from db_sync import sampling
from db_sync.mask_plan import sample
from db_sync.mask_plan.table import print_plan
from tests.integration.db_sync.mask_planning import planned, proposed, synced
from tests.support.databases import Databases

PEOPLE = "CREATE TABLE people (id int PRIMARY KEY, email text, reach text)"
ONE = "INSERT INTO people VALUES (1, 'o@orig.test', 'p@orig.test')"


def test_a_table_that_the_role_may_not_read_is_listed_and_planned_by_names(
    databases: Databases, role: str
) -> None:
    source = databases.make(
        f"{PEOPLE}; CREATE TABLE open (id int PRIMARY KEY, reach text)",
        f"{ONE}; INSERT INTO open VALUES (1, 'o@orig.test')",
    )
    source.execute(f"GRANT SELECT ON open TO {role}")

    plan = planned(source, address=source.address_as(role))

    assert plan.unread == {Name("public", "people"): "the role may not read all of it"}
    assert plan.rules["mask"] == {
        "public.people.email": "email",
        "public.people.reach": "text",
        "public.open.reach": "email",
    }


def test_a_closed_schema_and_a_table_with_policies_are_listed(
    databases: Databases, role: str
) -> None:
    source = databases.make(
        f"{PEOPLE}; CREATE SCHEMA closed; CREATE TABLE closed.t (id int PRIMARY KEY);"
        " CREATE TABLE shown (id int PRIMARY KEY, reach text);"
        " ALTER TABLE people ENABLE ROW LEVEL SECURITY;"
        " ALTER TABLE shown ENABLE ROW LEVEL SECURITY;"
        " CREATE POLICY everything ON shown USING (true)",
        f"{ONE}; INSERT INTO shown VALUES (1, 'o@orig.test')",
    )
    source.execute(f"GRANT SELECT ON people, shown TO {role}")

    plan = planned(source, address=source.address_as(role))

    assert set(map(str, plan.unread)) == {"closed.t", "public.people"}
    assert "row level security" in plan.unread[Name("public", "people")]
    assert plan.rules["mask"]["public.shown.reach"] == "email"


def test_an_empty_table_and_an_empty_database_are_planned_by_names(databases: Databases) -> None:
    pair = databases.pair(f"{PEOPLE}; CREATE TABLE nothing ()")

    rules = planned(pair.source).rules

    assert rules == {"mask": {"public.people.email": "email", "public.people.reach": "text"}}
    assert synced(pair, rules).warnings == ()
    assert planned(databases.make()).rules == {"mask": {}}


def test_a_locked_table_is_listed_instead_of_waited_for(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SECONDS", 0.2)
    source = databases.make(f"{PEOPLE}; CREATE TABLE other (id int, reach text)", ONE)
    source.execute("INSERT INTO other VALUES (1, 'o@orig.test')")

    with contextlib.closing(source.connect()) as migration, migration.cursor() as cursor:
        cursor.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        plan = planned(source)

    assert plan.unread == {Name("public", "people"): "a sample took too long"}
    assert plan.rules["mask"]["public.people.email"] == "email"
    assert plan.rules["mask"]["public.other.reach"] == "email"


def test_no_lock_is_kept_on_a_table_that_was_looked_at(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = databases.make(PEOPLE, ONE)
    locks = "SELECT count(*) FROM pg_locks WHERE relation = 'people'::regclass"
    kept: list[int] = []
    looked = sample.Sampler.look

    def look(self: sample.Sampler, table: object) -> None:
        looked(self, table)  # type: ignore[arg-type]  # what it is called with
        kept.append(source.value(locks))

    monkeypatch.setattr(sample.Sampler, "look", look)
    planned(source)

    assert kept == [0]


def test_a_large_table_is_sampled_from_all_over_it(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE t (id int PRIMARY KEY, v text, w text)",
        "INSERT INTO t SELECT i, CASE WHEN i > 2000 THEN 'o' || i || '@orig.test' END, 'w'"
        " FROM generate_series(1, 60000) i; ANALYZE t",
    )

    assert proposed(source)["public.t.v"] == "email"


def test_partitions_and_tables_that_inherit_are_sampled_once(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE t (id int, reach text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
        " CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200);"
        " CREATE TABLE parent (id int, reach text); CREATE TABLE child () INHERITS (parent)",
        "INSERT INTO t SELECT i, 'o@orig.test' FROM generate_series(95, 105) i;"
        " INSERT INTO child VALUES (1, 'o@orig.test'); INSERT INTO parent VALUES (1, 'a word')",
    )

    assert proposed(source) == {"public.t.reach": "email", "public.child.reach": "email"}


def test_a_partition_key_is_masked_only_if_the_partitions_take_it(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE t (id int, city text NOT NULL) PARTITION BY LIST (city);"
        " CREATE TABLE t_1 PARTITION OF t FOR VALUES IN ('Here', 'There')",
        "INSERT INTO t VALUES (1, 'Here'), (2, 'There')",
    )

    assert proposed(source) == {}


def test_a_check_finds_the_functions_that_it_calls(databases: Databases) -> None:
    source = databases.make(
        "CREATE SCHEMA app; CREATE FUNCTION app.is_short(text) RETURNS boolean IMMUTABLE"
        " LANGUAGE sql AS 'SELECT length($1) < 12';"
        " CREATE TABLE people (id int PRIMARY KEY, phone text CHECK (app.is_short(phone)),"
        " name text CHECK (app.is_short(name)))",
        "INSERT INTO people SELECT i, '+49 170 1' || i, 'Or' FROM generate_series(1, 9) i",
    )

    assert proposed(source) == {"public.people.phone": "text", "public.people.name": "name"}


def test_a_table_of_more_columns_than_a_query_returns_is_planned(databases: Databases) -> None:
    columns = ", ".join(f"phone_{number} text" for number in range(1500))
    pair = databases.pair(
        f"CREATE TABLE wide (id int PRIMARY KEY, {columns})",
        source="INSERT INTO wide (id, phone_0, phone_1499) VALUES (1, '0170', '0171')",
    )

    plan = planned(pair.source)

    assert len(plan.rules["mask"]) == 1500
    shown = plan.tried[Name("public", "wide")].shown
    assert all(shown[f"phone_{number}"][0].startswith("+999") for number in (0, 1499))


def test_three_hundred_tables_take_a_handful_of_queries_each(
    databases: Databases, counted: Counter[str]
) -> None:
    source = databases.make(
        ";".join(
            f"CREATE TABLE t_{number} (id int PRIMARY KEY, email text, doc jsonb, v text)"
            for number in range(300)
        )
    )

    plan = planned(source)

    assert len(plan.rules["mask"]) == 900
    assert counted["queries"] < 300 * 4 + 50


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How many queries were run."""
    counts: Counter[str] = Counter()
    rows, records = Connection.rows, Connection.records

    def count_rows(self: Connection, *arguments: object) -> object:
        counts["queries"] += 1
        return rows(self, *arguments)  # type: ignore[arg-type]  # as they came

    def count_records(self: Connection, *arguments: object) -> object:
        counts["queries"] += 1
        return records(self, *arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Connection, "rows", count_rows)
    monkeypatch.setattr(Connection, "records", count_records)
    yield counts
    assert counts["queries"] > 0


def test_names_and_values_that_a_terminal_would_obey_are_not_printed_raw(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    source = databases.make(
        'CREATE TABLE people (id int PRIMARY KEY, "e\x1b[31mmail [bold]" text, phone text)',
        "INSERT INTO people VALUES (1, 'o@orig.test', '\x1b[2J+49 170')",
    )

    print_plan(planned(source), "rules.json", has_random_key=True)

    printed = capsys.readouterr().out
    assert "\x1b[31m" not in printed
    assert "\x1b[2J" not in printed
    assert "[bold]" in printed
