"""What mask-plan says of columns that hold subs: proposed to follow, or left to a person."""

import json
from pathlib import Path

from tests.integration.db_sync.following import KEPT, SUB, insert_users, sub_of
from tests.integration.db_sync.mask_planning import mask_plan, planned, synced
from tests.support.databases import Databases

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, cognito_sub varchar(36) UNIQUE, by text);
CREATE TABLE wishes (
    id int PRIMARY KEY, email text, owner_sub text, fan varchar(36) REFERENCES users (cognito_sub),
    team jsonb
);
"""
ROWS = f"""
{insert_users(30)}
INSERT INTO wishes
SELECT id, email, cognito_sub, cognito_sub, jsonb_build_object('members', ARRAY[cognito_sub])
FROM users;
"""
GIVEN = {"keep": [KEPT], "mask": {"public.users.email": "email"}, "unreviewed": "fail"}


def test_columns_with_subs_are_proposed_to_follow_and_not_to_be_masked(
    databases: Databases, tmp_path: Path
) -> None:
    pair = databases.pair(SCHEMA, ROWS)
    rules, output = tmp_path / "rules.json", tmp_path / "new.json"
    rules.write_text(json.dumps(GIVEN))

    done = mask_plan(pair.source.url, "--rules", str(rules), "--output", str(output), columns=160)

    assert done.returncode == 0, done.stderr
    proposed = json.loads(output.read_text())
    assert proposed["follow"] == {
        "public.wishes.owner_sub": SUB,
        "public.wishes.team": {"column": SUB, "paths": ["$.members[*]"]},
    }
    assert set(proposed["mask"]) == {"public.users.email", "public.users.by", "public.wishes.email"}
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "follows" in lines["owner_sub"]
    assert "30 of 30 sampled values are" in lines["owner_sub"]
    assert "follows" in lines["fan"]
    assert "2 columns with subs to follow" in done.stdout
    assert "aaaa-4aaa" not in done.stdout
    assert synced(pair, proposed).warnings == ()


def test_with_rules_that_name_them_nothing_is_proposed(databases: Databases) -> None:
    source = databases.make(SCHEMA, ROWS)
    follow = {"public.wishes.owner_sub": SUB, "public.wishes.team": None}

    plan = planned(source, {**GIVEN, "follow": follow})

    assert plan.rules["follow"] == follow
    assert not plan.following.proposed
    assert "follow" not in planned(source, {"mask": GIVEN["mask"]}).rules


def test_what_looks_personal_too_or_has_no_path_is_left_to_a_person(databases: Databases) -> None:
    source = databases.make(
        f"{SCHEMA} CREATE TABLE logs (id int, who text, whole jsonb)",
        f"{insert_users(30)} INSERT INTO logs SELECT id, email, to_jsonb(cognito_sub) FROM users;"
        f" INSERT INTO logs SELECT 100, {sub_of('7')}",
    )

    plan = planned(source, GIVEN)

    assert plan.rules["mask"]["public.logs.who"] == "email"
    assert "follow" not in plan.rules
    who, whole = plan.following.undecided
    assert who.startswith(
        "public.logs.who (1 of 31 sampled values are subs of public.users.cognito"
    )
    assert "what is masked cannot follow" in who
    assert "look for the paths to them yourself" in whole
