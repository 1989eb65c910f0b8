"""What mask-plan proposes for JSON columns, and which of their keys it shows."""

import json
from typing import Any

import pytest

from common.postgres.names import Name, TableColumn
from db_sync.mask_plan.json_columns import JsonColumn
from tests.integration.db_sync.mask_planning import planned, proposed, synced
from tests.support.databases import Databases

AT = TableColumn(Name("public", "t"), "doc")


def rows(documents: list[Any]) -> str:
    values = ", ".join(
        f"({number}, '{json.dumps(document)}')" for number, document in enumerate(documents)
    )
    return f"INSERT INTO t VALUES {values}"


def inside(databases: Databases, documents: list[Any], type_: str = "jsonb") -> JsonColumn:
    source = databases.make(f"CREATE TABLE t (id int PRIMARY KEY, doc {type_})", rows(documents))
    return planned(source).samples.json[AT]


@pytest.mark.parametrize("type_", ["json", "jsonb"])
def test_paths_with_personal_names_are_masked_and_the_others_listed(
    databases: Databases, type_: str
) -> None:
    document = {
        "plan": "gold",
        "email": "o@orig.test",
        "address": {"street": "Origstreet", "lines": ["Origline"]},
        "people": [{"firstName": "Orig", "age": 7}, {"firstName": "Inal", "age": 8}],
        "birth": "1980-01-01",
        "has": {"email": True},
    }
    pair = databases.pair(
        f"CREATE TABLE t (id int PRIMARY KEY, doc {type_})", rows([document, document])
    )

    plan = planned(pair.source)

    assert plan.rules["mask"]["public.t.doc"] == {
        "with": "json",
        "paths": {
            "$.address.lines[*]": "text",
            "$.address.street": "text",
            "$.birth": "null",
            "$.email": "email",
            "$.people[*].firstName": "name",
        },
    }
    assert set(plan.samples.json[AT].others) == {"$.plan", "$.people[*].age", "$.has.email"}
    assert synced(pair, plan.rules).warnings == ()
    staging = str(pair.target.value("SELECT doc::text FROM t LIMIT 1"))
    assert "gold" in staging
    assert "rig" not in staging


def test_values_that_look_personal_are_masked_whatever_their_key(databases: Databases) -> None:
    found = inside(databases, [{"reach": ["o@orig.test"], "n": 1}, {"reach": ["p@orig.test"]}])

    assert found.masks == {"$.reach[*]": "email"}


def test_keys_that_look_like_data_are_not_shown(databases: Databases) -> None:
    documents = [
        {
            "size": 1,
            "counts": {f"orig{number}": 1, str(number): 2, "550e8400-e29b-41d4": 3},
            "by": {"Orig Inal": {"n": 1}},
        }
        for number in range(9)
    ]

    found = inside(databases, documents)

    assert set(found.others) == {"$.size", "$.counts.*", "$.by.*.n"}
    assert not found.is_hopeless


def test_a_key_of_few_documents_is_not_shown_unless_it_is_known_as_personal(
    databases: Databases,
) -> None:
    rare = [{"size": 1, "origname": 1, "passport": "X1"}] * 2

    found = inside(databases, rare + [{"size": 1}] * 98)

    assert set(found.others) == {"$.size", "$.*"}
    assert found.masks == {"$.passport": "hash"}


def test_a_document_whose_keys_are_addresses_is_masked_as_a_whole(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE t (id int PRIMARY KEY, doc jsonb NOT NULL)",
        rows([{"o@orig.test": 1}, {"o@orig.test": 1}]),
    )

    assert proposed(source) == {"public.t.doc": {"with": "fixed", "value": {}}}


@pytest.mark.parametrize("documents", [["o@orig.test"], [{}, []], [None], [1, True]])
def test_documents_without_paths_are_no_fault(databases: Databases, documents: list[Any]) -> None:
    source = databases.make("CREATE TABLE t (id int PRIMARY KEY, doc jsonb)", rows(documents))

    expected = {"public.t.doc": "null"} if documents == ["o@orig.test"] else {}
    assert proposed(source) == expected


def test_json_that_is_no_jsonb_is_no_fault(databases: Databases) -> None:
    source = databases.make(
        "CREATE TABLE t (id int PRIMARY KEY, email text, doc json)",
        "INSERT INTO t VALUES (1, 'o@orig.test', '{\"a\": \"\\u0000\"}')",
    )

    assert proposed(source) == {"public.t.email": "email", "public.t.doc": "null"}


def test_a_path_below_a_masked_one_is_masked_with_it(databases: Databases) -> None:
    documents = [{"address": "Origstreet"}, {"address": {"street": "Origstreet", "n": 1}}] * 2

    found = inside(databases, documents)

    assert (found.masks, found.others) == ({"$.address": "text"}, ())
