"""The numbers by which a sync chooses between ways that lead to the same result."""

from dataclasses import dataclass

FEW = 4  # parts at the same time, that a server of staging's usual size has cores and disk for


@dataclass(frozen=True, slots=True)
class Rates:
    """How many bytes of a table are read and compared, and how many are written, per second."""

    compare: float = 100e6
    write: float = 25e6


@dataclass(frozen=True, slots=True)
class Tuning:
    """From how many rows or ranges on another way is faster; the defaults are measured.

    Attributes:
        rows_per_range: how many rows a range should have.
        min_rows_for_key_ranges: a smaller table is divided by hash, since an index would find a
            range's rows no sooner; it saves the round trip that asks for the key's bounds.
        min_ranges_for_mostly: a table of fewer ranges never counts as mostly different, since a
            row or two would make it so.
        min_ranges_for_sample: a table of so many ranges is sampled before all of it is compared.
        sampled_ranges: how many ranges a sample has.
        max_ranges_noted: more ranges that differ are counted and not noted one by one (some 20 MB).
        min_rows_to_divide: if so many rows are in the ranges that differ, parts of these ranges are
            compared before rows are fetched.
        max_rows_verified_whole: a table of so many rows is read again completely, in no time.
        min_rows_for_index_rebuild: with fewer rows, indexes are kept up as quickly as they are
            built.
        max_rows_counted: telling apart the rows of a larger table takes half as long as copying it.
        part_seconds: how long a part of a divided sync should take, if few run at the same time.
        whole_seconds: up to how many seconds a table is not divided; None: what suits the number of
            parts that run at the same time.
        longest_part: how long a part may take that cannot be divided, in seconds.
        keeper_turn: the seconds that a keeper holds the snapshot before the other one relieves it;
            None: until a minute before its deadline.
        keeper_poll: the seconds between two looks of a keeper at what the others wrote.
        rates: how fast tables are compared and written, as long as nothing was measured.
    """

    rows_per_range: int = 64
    min_rows_for_key_ranges: int = 2_000
    min_ranges_for_mostly: int = 32
    min_ranges_for_sample: int = 1_000
    sampled_ranges: int = 32
    max_ranges_noted: int = 100_000
    min_rows_to_divide: int = 10_000
    max_rows_verified_whole: int = 100_000
    min_rows_for_index_rebuild: int = 10_000
    max_rows_counted: int = 100_000
    part_seconds: float = 120.0
    whole_seconds: float | None = None
    longest_part: float = 660.0
    keeper_turn: float | None = None
    keeper_poll: float = 2.0
    rates: Rates = Rates()

    def part_seconds_of(self, concurrency: int) -> float:
        """Return how long a part should take if so many run at the same time.

        They share the disk of staging's server, so that each takes longer than it would alone. One
        of less than half a minute would mostly start Lambdas.
        """
        return self.part_seconds * max(0.5, min(1.0, FEW / concurrency))
