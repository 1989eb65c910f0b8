"""Types that a database defines for itself: what they are made of, and which are the same.

An extension may be installed in `public` on one side and in `extensions` on the other: a type's
schema says nothing of what it is.
"""

from collections.abc import Iterator
from typing import NamedTuple

from db_sync.plan.catalog import Catalog, Column, Type, TypeName

ARRAY = "[]"  # how format_type ends the name of an array
# Kinds whose parts may differ between two of one name; that is told with those parts.
ENUM, COMPOSITE, DOMAIN = "e", "c", "d"


class Leaf(NamedTuple):
    """What a column is made of: its type without domains and arrays, and how many arrays."""

    base_type: str
    arrays: int


def are_same(before: str, after: str, ours: Catalog, theirs: Catalog) -> bool:
    """Return whether the source's type is the target's, in whatever schema each lies.

    They have one name and are of one extension; or of none, and made of the same types. An enum's
    labels and a composite's fields may be others: see `find_other_fields`.

    Args:
        before: the source's type without a modifier, as format_type names it.
        after: the target's.
        ours: the source's catalog.
        theirs: the target's catalog.
    """
    if before == after:
        return True
    if before.endswith(ARRAY) and after.endswith(ARRAY):
        return are_same(before.removesuffix(ARRAY), after.removesuffix(ARRAY), ours, theirs)
    mine, other = ours.types.get(before), theirs.types.get(after)
    if mine is None or other is None or mine.identity != other.identity:
        return False
    return (
        mine.extension is not None
        or mine.kind in {ENUM, COMPOSITE}
        or all(
            are_same(part.base_type, counterpart.base_type, ours, theirs)
            for part, counterpart in zip(mine.made_of, other.made_of, strict=True)
        )
    )


def find_other_fields(
    before: str, after: str, ours: Catalog, theirs: Catalog
) -> Iterator[tuple[str, Type, Type]]:
    """Yield each composite type that has other fields on both sides, and both of it.

    Those inside of composite types too.
    """
    mine, other = ours.types.get(before), theirs.types.get(after)
    if mine is None or other is None or not mine.kind == other.kind == COMPOSITE:
        return
    if not _have_same_fields(mine, other, ours, theirs):
        yield before, mine, other
        return
    for field, counterpart in zip(mine.made_of, other.made_of, strict=True):
        yield from find_other_fields(
            leaf(field, ours.types).base_type,
            leaf(counterpart, theirs.types).base_type,
            ours,
            theirs,
        )


def _have_same_fields(mine: Type, other: Type, ours: Catalog, theirs: Catalog) -> bool:
    return mine.field_names == other.field_names and all(
        # Of a type in another schema the modifier is in another name.
        field.type == counterpart.type
        or (
            field.base_type != counterpart.base_type
            and are_same(field.base_type, counterpart.base_type, ours, theirs)
        )
        for field, counterpart in zip(mine.made_of, other.made_of, strict=True)
    )


def leaf(of: Column | TypeName, types: dict[str, Type]) -> Leaf:
    """Return what is at the bottom of a type."""
    bare = without_domains(of, types)
    arrays = 0
    while bare.base_type.endswith(ARRAY):
        bare = element_of(bare, types)
        arrays += 1
    return Leaf(bare.base_type, arrays)


def without_domains(of: Column | TypeName, types: dict[str, Type]) -> TypeName:
    """Return a type without the domains around it."""
    bare = TypeName(of.type, of.base_type)
    while (found := types.get(bare.base_type)) and found.kind == DOMAIN:
        (bare,) = found.made_of
    return bare


def element_of(array: TypeName, types: dict[str, Type]) -> TypeName:
    """Return the type of an array's elements, without domains."""
    element = TypeName(array.type.removesuffix(ARRAY), array.base_type.removesuffix(ARRAY))
    return without_domains(element, types)
