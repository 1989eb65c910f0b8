"""Types that a database defines: what they are made of, and which are the same on both sides.

A type's schema does not matter: an extension may be installed in `public` on one side and in
`extensions` on the other.
"""

from collections.abc import Iterator
from typing import NamedTuple

from db_sync.plan.catalog import COMPOSITE, DOMAIN, ENUM, Catalogs, Column, Type, TypeName

ARRAY = "[]"  # how format_type ends the name of an array
TEXTS = frozenset({"text", "character varying", "character", "bpchar", "citext"})


class InnermostType(NamedTuple):
    """A column's type without domains and arrays, and in how many arrays it is nested."""

    base_type: str
    array_levels: int


def are_same(source: str, target: str, catalogs: Catalogs) -> bool:
    """Return whether the source's type and the target's are the same, whatever their schemas.

    They have the same name, and belong to the same extension, or to none and are made of the same
    types. An enum's labels and a composite's fields may differ: see `find_other_fields`.

    Args:
        source: the source's type without a modifier, as format_type names it.
        target: the target's.
        catalogs: both sides' catalogs.
    """
    if source == target:
        return True
    if source.endswith(ARRAY) and target.endswith(ARRAY):
        return are_same(source.removesuffix(ARRAY), target.removesuffix(ARRAY), catalogs)
    ours, theirs = catalogs.source.types.get(source), catalogs.target.types.get(target)
    if ours is None or theirs is None or ours.identity != theirs.identity:
        return False
    return (
        ours.extension is not None
        or ours.kind in {ENUM, COMPOSITE}
        or all(
            are_same(part.base_type, counterpart.base_type, catalogs)
            for part, counterpart in zip(ours.made_of, theirs.made_of, strict=True)
        )
    )


def find_other_fields(
    source: str, target: str, catalogs: Catalogs
) -> Iterator[tuple[str, Type, Type]]:
    """Yield each composite type whose fields differ: its name, the source's and the target's.

    Fields of fields are compared too.
    """
    ours, theirs = catalogs.source.types.get(source), catalogs.target.types.get(target)
    if ours is None or theirs is None or not ours.kind == theirs.kind == COMPOSITE:
        return
    if not _have_same_fields(ours, theirs, catalogs):
        yield source, ours, theirs
        return
    for field, counterpart in zip(ours.made_of, theirs.made_of, strict=True):
        yield from find_other_fields(
            innermost_type(field, catalogs.source.types).base_type,
            innermost_type(counterpart, catalogs.target.types).base_type,
            catalogs,
        )


def _have_same_fields(ours: Type, theirs: Type, catalogs: Catalogs) -> bool:
    return ours.field_names == theirs.field_names and all(
        # `type` has the schema and the modifier: of a type that is in another schema on the target,
        # neither can be compared.
        field.type == counterpart.type
        or (
            field.base_type != counterpart.base_type
            and are_same(field.base_type, counterpart.base_type, catalogs)
        )
        for field, counterpart in zip(ours.made_of, theirs.made_of, strict=True)
    )


def innermost_type(of: Column | TypeName, types: dict[str, Type]) -> InnermostType:
    """Return a type without the domains and arrays around it."""
    bare = without_domains(of, types)
    array_levels = 0
    while bare.base_type.endswith(ARRAY):
        bare = element_of(bare, types)
        array_levels += 1
    return InnermostType(bare.base_type, array_levels)


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
