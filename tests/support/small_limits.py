"""Limits of the engine that are small, so that a few rows take the ways of many."""

from db_sync.tuning import Tuning

SMALL = Tuning(
    rows_per_range=4,
    min_rows_for_key_ranges=8,
    min_ranges_for_mostly=4,
    min_ranges_for_sample=16,
    sampled_ranges=8,
    max_ranges_noted=12,
    max_rows_verified_whole=20,
    min_rows_for_index_rebuild=20,
)


def tuning(*, is_large: bool) -> Tuning:
    """Return the engine's own limits, or those by which it takes small tables for large ones."""
    return SMALL if is_large else Tuning()
