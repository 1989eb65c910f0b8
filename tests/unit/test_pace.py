"""When a sync is given up, to be divided: as soon as it is seen not to fit."""

import pytest

from common.errors import OutOfTime
from common.postgres.deadline import Deadline
from common.postgres.names import Name
from db_sync.pace import Pace, Work
from db_sync.tuning import Rates

A, B = Name("public", "a"), Name("public", "b")
MB = 1_000_000
RATES = Rates(compare=100 * MB, write=25 * MB)
DONE = {"copy": 1.0, "index": 1.0, "verify": 1.0}


def pace(seconds: int, a: Work, b: Work | None = None) -> Pace:
    made = Pace()
    made.begin(Deadline.in_milliseconds((seconds + 15) * 1000), RATES, {A: a, B: b or Work(0, 0)})
    return made


def test_without_anything_to_do_a_sync_fits() -> None:
    Pace().check({})


@pytest.mark.parametrize(("seconds", "fits"), [(30, True), (28, False)])
def test_what_is_compared_and_written_takes_its_time(seconds: int, *, fits: bool) -> None:
    checked = pace(seconds, Work(compared=400 * MB, written=625 * MB))  # 4 s + 25 s
    if fits:
        checked.check({})
        return
    with pytest.raises(OutOfTime, match="29 s more") as refused:
        checked.check({})
    assert type(refused.value) is OutOfTime  # Step Functions shows the class


def test_what_is_done_needs_no_time_any_more() -> None:
    checked = pace(10, Work(0, 1000 * MB), Work(0, 200 * MB))
    with pytest.raises(OutOfTime):
        checked.check({A: {"compare": 0.0}})
    checked.check({A: {"compare": 0.0, **DONE}})


def test_what_was_measured_counts_and_not_what_was_assumed() -> None:
    checked = pace(60, Work(500 * MB, 0), Work(5000 * MB, 0))
    checked.check({})  # 55 s
    checked.check({A: {"compare": 5.0}})  # 50 s at the same rate
    with pytest.raises(OutOfTime, match="100 s more"):
        checked.check({A: {"compare": 10.0}})


def test_a_small_table_says_little_about_the_rate() -> None:
    checked = pace(60, Work(1 * MB, 0), Work(5000 * MB, 0))
    checked.check({A: {"compare": 10.0}})


def test_a_table_that_is_replaced_is_written_whole() -> None:
    checked = pace(30, Work(1000 * MB, 0))
    compared = {A: {"compare": 10.0}}
    checked.check(compared)
    checked.replacing({A})
    with pytest.raises(OutOfTime, match="40 s more"):
        checked.check(compared)
