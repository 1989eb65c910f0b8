"""Subs replaced in columns that hold them: alone, in arrays, and at paths of jsonb."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2 import sql

from common.follow.rules import FollowRules
from common.follow.substitution import Replacements, SubColumn, substitute, substituted
from common.postgres.database import Session, connect
from tests.support.databases import Databases

ADA, BEN, CAT = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")
SCHEMA = """
CREATE TABLE map (old text COLLATE "C", new text COLLATE "C");
CREATE TABLE t (
    id int PRIMARY KEY, plain text, short varchar(36), typed uuid,
    texts varchar(36)[], uuids uuid[], doc jsonb
);
"""
TABLE = sql.Identifier("public", "t")
BY = Replacements(sql.Identifier("public", "map"), "old", "new")
BACK = Replacements(sql.Identifier("public", "map"), "new", "old")
RULES = FollowRules.parse(
    {"public.t.doc": {"column": "public.u.sub", "paths": ["$.members[*].sub", '$["made by"]']}}
)
COLUMNS = (
    SubColumn("plain", "sub", is_uuid=False),
    SubColumn("short", "sub", is_uuid=False),
    SubColumn("typed", "sub", is_uuid=True),
    SubColumn("texts", "array", is_uuid=False),
    SubColumn("uuids", "array", is_uuid=True),
    SubColumn("doc", "json", is_uuid=False, paths=RULES.rules[0].paths),
)


@pytest.fixture
def session(databases: Databases) -> Iterator[Session]:
    with connect(databases.make(SCHEMA).address, "target", execution="test") as opened:
        opened.begin()
        # Ada and Ben exchange their subs.
        opened.execute("INSERT INTO public.map VALUES (%s, %s), (%s, %s)", [ADA, BEN, BEN, ADA])
        yield opened


def insert(session: Session, **values: Any) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    places = sql.SQL(", ").join(sql.Placeholder() * len(values))
    session.execute(
        sql.SQL("INSERT INTO public.t (id, {}) VALUES (1, {})").format(names, places),
        list(values.values()),
    )


def replaced(session: Session, column: str) -> Any:
    """Return the first row's value of a column as text, after the UPDATE of all columns."""
    session.execute(substitute(TABLE, COLUMNS, BY))
    (value,) = session.row(sql.SQL("SELECT {}::text FROM public.t").format(sql.Identifier(column)))
    return value


@pytest.mark.parametrize("column", ["plain", "short", "typed"])
def test_exchanged_subs_are_replaced_at_once(session: Session, column: str) -> None:
    insert(session, **{column: ADA})

    assert replaced(session, column) == BEN


@pytest.mark.parametrize("column", ["texts", "uuids"])
def test_every_element_of_an_array_is_replaced_in_its_place(session: Session, column: str) -> None:
    insert(session, **{column: f"{{{BEN},{CAT},NULL,{ADA},{ADA}}}"})

    assert replaced(session, column) == f"{{{ADA},{CAT},NULL,{BEN},{BEN}}}"


def test_subs_at_the_paths_of_jsonb_are_replaced_and_nothing_else(session: Session) -> None:
    insert(
        session,
        doc=f'{{"members": [{{"n": 1}}, {{"sub": "{ADA}"}}, {{"sub": null}}, {{"sub": "{CAT}"}}],'
        f' "made by": "{BEN}", "note": "{ADA}"}}',
    )

    assert replaced(session, "doc") == (
        f'{{"note": "{ADA}", "made by": "{ADA}", "members": [{{"n": 1}}, {{"sub": "{BEN}"}},'
        f' {{"sub": null}}, {{"sub": "{CAT}"}}]}}'
    )


@pytest.mark.parametrize("column", ["typed", "uuids"])
def test_a_uuid_stays_where_its_replacement_is_none(session: Session, column: str) -> None:
    insert(session, **{column: ADA if column == "typed" else f"{{{ADA}}}"})
    session.execute("UPDATE public.map SET new = 'unlinked:1' WHERE new = %s", [BEN])

    assert ADA in replaced(session, column)


@pytest.mark.parametrize("array", [f"{{{{{ADA}}},{{{BEN}}}}}", f"[0:1]={{{ADA},{BEN}}}"])
def test_an_array_of_another_shape_stays(session: Session, array: str) -> None:
    insert(session, texts=array)

    assert replaced(session, "texts") == array


@pytest.mark.parametrize("column", COLUMNS)
def test_rows_without_a_sub_that_is_replaced_are_not_written(
    session: Session, column: SubColumn
) -> None:
    held = {"array": f"{{{CAT}}}", "json": f'{{"made by": "{CAT}", "members": "{ADA}"}}'}
    insert(session, **{column.name: held.get(column.holds, CAT)})
    session.execute("INSERT INTO public.t (id) VALUES (2)")

    assert session.execute(substitute(TABLE, [column], BY)) == 0


@pytest.mark.parametrize("column", COLUMNS)
def test_what_was_replaced_reads_as_before_with_the_replacements_turned_around(
    session: Session, column: SubColumn
) -> None:
    many = f"{{{ADA},{CAT},{BEN}}}"
    held = {"array": many, "json": f'{{"made by": "{ADA}", "members": [{{"sub": "{BEN}"}}]}}'}
    insert(session, **{column.name: held.get(column.holds, ADA)})
    own = sql.Identifier("t", column.name)
    (before,) = session.row(sql.SQL("SELECT {}::text FROM public.t").format(own))

    assert session.execute(substitute(TABLE, [column], BY)) == 1
    back = substituted(column, TABLE, BACK, "m")
    query = sql.SQL("SELECT {}::text, {} FROM {} t{}").format(
        back.value, back.is_changed, TABLE, back.join
    )

    assert session.row(query) == (before, True)
