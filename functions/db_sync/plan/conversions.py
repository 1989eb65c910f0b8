"""How a value of the source's type is converted to the target's, if the two differ.

Only as PostgreSQL itself would on assignment. The cast runs on the source. A value that a cast
would truncate silently travels as text instead, so that the target's own length check refuses it.
"""

from db_sync.plan.catalog import Catalogs, Column, TypeName
from db_sync.plan.defined_types import (
    ARRAY,
    are_same,
    element_of,
    innermost_type,
    without_domains,
)

JSON_TYPES = frozenset({"json", "jsonb"})
JSON_CATEGORIES = frozenset("ANBC")  # pg_type.typcategory: array, number, boolean, composite
# Types whose modifier rounds a value; the modifier of other types limits its length.
ROUNDED_TYPES = frozenset(
    {
        "interval",
        "numeric",
        "time with time zone",
        "time without time zone",
        "timestamp with time zone",
        "timestamp without time zone",
    }
)
STRING_TYPES = frozenset({"text", "character varying", "character"})
ZONED_TYPES = frozenset({"timestamp with time zone", "time with time zone"})
LOCAL_TYPES = frozenset({"timestamp without time zone", "time without time zone", "date"})
BIT_TYPES = frozenset({"bit", "bit varying"})
AS_IT_IS = ""  # no cast


def find_conversion(source: Column, target: Column, catalogs: Catalogs) -> str | None:
    """Return the SQL that converts the source's value; {} stands for it.

    Returns:
        `AS_IT_IS` if no cast is needed; None if PostgreSQL would not assign one type to the other.
    """
    source_type = without_domains(source, catalogs.source.types)
    target_type = without_domains(target, catalogs.target.types)
    if target_type.base_type in JSON_TYPES and source_type.base_type != target_type.base_type:
        if source.category in JSON_CATEGORIES:
            return f"CAST(to_jsonb({{}}) AS {target_type.base_type})"
        if source_type.base_type in STRING_TYPES:
            return f"CAST({{}} AS {target_type.base_type})"
    cast = _cast(source_type, target_type, catalogs)
    if not cast:
        return cast
    # format_type quotes the type's name; braces in it would be placeholders.
    return f"CAST({{}} AS {cast.replace('{', '{{').replace('}', '}}')})"


def depends_on_time_zone(source: Column, target: Column, catalogs: Catalogs) -> bool:
    """Return whether a conversion depends on the time zone: just one of the types has one."""
    types = {
        innermost_type(source, catalogs.source.types).base_type,
        innermost_type(target, catalogs.target.types).base_type,
    }
    return len(types & ZONED_TYPES) == 1 and len(types & LOCAL_TYPES) == 1


def _cast(source: TypeName, target: TypeName, catalogs: Catalogs) -> str | None:
    """Return the type to cast to, `AS_IT_IS`, or None."""
    if source.base_type.endswith(ARRAY) and target.base_type.endswith(ARRAY):
        # PostgreSQL casts arrays by their elements.
        element = _cast(
            element_of(source, catalogs.source.types),
            element_of(target, catalogs.target.types),
            catalogs,
        )
        return f"{element}{ARRAY}" if element else element
    is_rounded = target.base_type in ROUNDED_TYPES
    same = are_same(source.base_type, target.base_type, catalogs)
    if source.type == target.type or (same and not is_rounded):
        return AS_IT_IS
    if target.base_type in STRING_TYPES:
        return "text"
    cast = (source.base_type, target.base_type)
    if source.base_type != target.base_type and cast not in catalogs.source.casts:
        # The source may lack an extension's type that reads the same text, as citext does.
        return AS_IT_IS if catalogs.target.casts.get(cast) else None
    if target.base_type in BIT_TYPES:
        return "text"
    return target.type if is_rounded else target.base_type
