"""The cases, those of many tables and with masks, and what each must and should reach."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from db_sync.mask.expressions import HASH_DIGITS
from tests.bench import data, many_tables
from tests.bench.measure import REFERENCE, Measurement, Watched
from tests.bench.servers import Servers

MUST_MEMORY_OF_SYNC, AIM_MEMORY_OF_SYNC = 100, 60  # MB, in every case
# Seconds. Less counts as no wait: a probe's statement takes milliseconds in any case, and more when
# the machine is busy.
MUST_BLOCKED = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """A state that a sync starts from; `must` and `aim` are ratios to the faster peer's seconds.

    `prepare` creates it from the previous case's result, in which both sides are equal, and returns
    how many rows changed. `lets_read`, `lets_write`: whether a reader, or a writer, of the target
    must not have to wait; `watched` has their statements.
    """

    name: str
    prepare: Callable[[Servers], int]
    must: float
    aim: float
    status: str = "synced"
    is_merged: bool = False  # its counts are of rows that differ, not of replaced tables
    lets_read: bool = False
    lets_write: bool = False
    watched: Watched = REFERENCE

    def check(self, measured: Measurement, changed: int) -> None:
        """Check that the sync did what the case measures.

        Raises:
            RuntimeError: it did something else.
        """
        output = measured.output
        written = sum(output[f"rows_{how}"] for how in ("inserted", "updated", "deleted"))
        is_wrong = (
            output["status"] != self.status
            or not output["verified"]
            or (self.is_merged and written != changed)
        )
        if is_wrong:
            raise RuntimeError(f'"{self.name}" changed {changed} rows; the sync returned: {output}')


CASES = (
    Case("initial load", data.empty_target, must=1.02, aim=0.95),
    Case(
        "nothing changed",
        data.change_nothing,
        must=0.28,
        aim=0.22,
        status="unchanged",
        lets_write=True,
    ),
    Case(
        "1% changed, recent",
        data.change_recent,
        must=0.38,
        aim=0.3,
        is_merged=True,
        lets_read=True,
    ),
    Case("0.1% changed, scattered", data.change_scattered, must=0.4, aim=0.3, is_merged=True),
    Case("everything changed", data.change_everything, must=1.2, aim=1.1),
)
INITIAL_LOAD, NOTHING_CHANGED, RECENT, *_ = CASES


def of_many_tables(count: int) -> tuple[Case, ...]:
    """Return the cases with so many small tables."""
    watched = many_tables.WATCHED
    return (
        Case(
            f"{count:,} tables, initial",
            many_tables.empty_target,
            must=0.5,
            aim=0.35,
            watched=watched,
        ),
        Case(
            f"{count:,} tables, unchanged",
            data.change_nothing,
            must=0.15,
            aim=0.1,
            status="unchanged",
            lets_write=True,
            watched=watched,
        ),
    )


# What a team masks in the users' table, and its own addresses stay.
MASKS = {
    "public.users.email": {"with": "email", "keep_domains": ["team.example"]},
    "public.users.name": "name",
    "public.users.profile": {"with": "json", "paths": {"$.city": "hash"}},
}
MASK_RULES = json.dumps({"mask": MASKS, "reviewed": ["public.users.external_id"]})
MASKED_ROWS = f"""
SELECT count(*)
FROM users
WHERE email LIKE '%.invalid' AND name !~ '[0-9]' AND length(profile ->> 'city') = {HASH_DIGITS}
"""


@dataclass(frozen=True, slots=True)
class MaskedCase:
    """A case with masks; `must` is the ratio to the seconds of the same case without them."""

    unmasked: Case
    must: float

    def check(self, servers: Servers, measured: Measurement) -> None:
        """Check that the sync did what the case measures, and that the target is masked.

        Raises:
            RuntimeError: it did something else, or the target is not.
        """
        self.unmasked.check(measured, changed=0)
        users = servers.source.value("SELECT count(*) FROM users")
        masked = servers.target.value(MASKED_ROWS)
        if masked != users:
            raise RuntimeError(f"Of {users} users, {masked} are masked.")


# They run before the others: the first begins with an empty target, as the first of those does.
MASKED_CASES = (MaskedCase(INITIAL_LOAD, must=1.2), MaskedCase(NOTHING_CHANGED, must=1.5))
