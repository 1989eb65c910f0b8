"""How a value of the source's type becomes one of the target's, where the two differ.

Only as PostgreSQL itself would on assignment. The cast runs on the source; what a cast would
cut in silence travels as text instead, so that the target's own length check refuses it.
"""

from db_sync.plan.catalog import Catalog, Column, TypeName
from db_sync.plan.defined_types import ARRAY, are_same, element_of, leaf, without_domains

JSON_TYPES = frozenset({"json", "jsonb"})
JSON_CATEGORIES = frozenset("ANBC")  # pg_type.typcategory: array, number, boolean, composite
# Types whose modifier rounds a value; that of any other limits its length.
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


def find_conversion(source: Column, target: Column, ours: Catalog, theirs: Catalog) -> str | None:
    """Return SQL with {} for the source's value: what becomes the target's.

    Args:
        source: the source's column.
        target: the target's column.
        ours: the source's catalog.
        theirs: the target's catalog.

    Returns:
        `AS_IT_IS` where no cast is needed; None where PostgreSQL would not assign one type to
        the other.
    """
    before, after = without_domains(source, ours.types), without_domains(target, theirs.types)
    if after.base_type in JSON_TYPES and before.base_type != after.base_type:
        if source.category in JSON_CATEGORIES:
            return f"CAST(to_jsonb({{}}) AS {after.base_type})"
        if before.base_type in STRING_TYPES:
            return f"CAST({{}} AS {after.base_type})"
    cast = _cast(before, after, ours, theirs)
    if not cast:
        return cast
    # format_type quotes the type's name; braces in it would be placeholders.
    return f"CAST({{}} AS {cast.replace('{', '{{').replace('}', '}}')})"


def is_of_a_time_zone(source: Column, target: Column, ours: Catalog, theirs: Catalog) -> bool:
    """Return whether a conversion depends on the time zone: only one of both types has one."""
    kinds = {leaf(source, ours.types).base_type, leaf(target, theirs.types).base_type}
    return len(kinds & ZONED_TYPES) == 1 and len(kinds & LOCAL_TYPES) == 1


def _cast(before: TypeName, after: TypeName, ours: Catalog, theirs: Catalog) -> str | None:
    """Return the type to cast to, `AS_IT_IS`, or None."""
    if before.base_type.endswith(ARRAY) and after.base_type.endswith(ARRAY):
        # PostgreSQL casts arrays by their elements.
        inner = _cast(element_of(before, ours.types), element_of(after, theirs.types), ours, theirs)
        return f"{inner}{ARRAY}" if inner else inner
    is_rounded = after.base_type in ROUNDED_TYPES
    same = are_same(before.base_type, after.base_type, ours, theirs)
    if before.type == after.type or (same and not is_rounded):
        return AS_IT_IS
    if after.base_type in STRING_TYPES:
        return "text"
    cast = (before.base_type, after.base_type)
    if before.base_type != after.base_type and cast not in ours.casts:
        # The source may lack an extension's type, citext for instance, that reads the same text.
        return AS_IT_IS if theirs.casts.get(cast) else None
    if after.base_type in BIT_TYPES:
        return "text"
    return after.type if is_rounded else after.base_type
