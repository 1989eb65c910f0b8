"""Rows of a query as objects, by the names of its columns."""

from dataclasses import dataclass

import pytest

from common.postgres.database import connect
from tests.support.databases import Databases


@dataclass(frozen=True, slots=True)
class City:
    """Its fields stand in another order than the query's columns."""

    name: str
    inhabitants: int


def test_a_record_takes_its_columns_by_name(databases: Databases) -> None:
    query = (
        "SELECT i AS inhabitants, n AS name FROM (VALUES (2, 'B'), (1, 'A')) v (i, n) WHERE i < %s"
    )
    with connect(databases.make().address, "source", execution="test") as session:
        session.begin()
        assert session.records(query, [3], City) == [City("B", 2), City("A", 1)]
        assert session.records(query, [0], City) == []


def test_a_column_that_a_record_lacks_is_refused(databases: Databases) -> None:
    with connect(databases.make().address, "source", execution="test") as session:
        session.begin()
        with pytest.raises(TypeError, match="area"):
            session.records("SELECT 1 AS inhabitants, '' AS name, 2 AS area", None, City)
