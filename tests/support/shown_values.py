"""Values of a database as plain texts, as the model of the masks takes and returns them."""

import json
import struct
from ipaddress import ip_interface, ip_network
from typing import Any

from sandbox.database import Database
from tests.support.mask_model_numbers import Type

SHOWN = {
    "bytea": "encode({}, 'hex')",
    "json": "{}::jsonb::text",
    "date": "CASE WHEN isfinite({0}) THEN ({0} - date '2000-01-01')::text ELSE {0}::text END",
}
# What is sent of it in binary; extract(epoch …) is rounded near the last one.
TIMESTAMP = (
    "CASE WHEN isfinite({0}) THEN ('x' || encode({1}_send({0}), 'hex'))::bit(64)::int8::text"
    " ELSE {0}::text END"
)


def shown(database: Database, table: str, columns: dict[str, Type], key: str = "id") -> Any:
    """Return a table's values by the key's text and the column; an array as a list.

    Args:
        database: where the table is.
        table: its name as SQL.
        columns: their types by their names as SQL, of an array that of its elements.
        key: the column by whose text rows are told.
    """
    parts = [f"'{name}', {_shown(name, of)}" for name, of in columns.items()]
    query = f"SELECT {key}::text, jsonb_build_object({', '.join(parts)})::text FROM {table}"
    return {number: json.loads(row) for number, row in database.rows(query)}


def _shown(name: str, of: Type) -> str:
    as_text = TIMESTAMP if of.name.startswith("timestamp") else SHOWN.get(of.name, "{}::text")
    if not of.is_array:
        return as_text.format(name, of.name)
    element = as_text.format("element", of.name)
    return (
        f"CASE WHEN {name} IS NOT NULL THEN (SELECT coalesce(jsonb_agg({element}"
        f" ORDER BY number), '[]') FROM unnest({name}) WITH ORDINALITY each (element, number)) END"
    )


def comparable(of: Type, value: Any) -> Any:
    """Return a shown value in one form, whoever wrote it."""
    if isinstance(value, list):
        return [comparable(of, each) for each in value]
    if value is None:
        return None
    match of.name:
        case "real" | "double precision":
            return struct.pack("f" if of.name == "real" else "d", float(value)).hex()
        case "inet":
            return str(ip_interface(value))
        case "cidr":
            return str(ip_network(value))
    return value
