"""Which schedules EventBridge Scheduler would take, as its user guide says."""

import pytest

from cdk.settings.load import parse_settings
from tests.infra.blocks import problems_of
from tests.infra.synthesized import SECRETS

# Each is an example of the guide, or made of one.
TAKEN = [
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(12 hours)",
    "rate(1 day)",
    "at(2026-12-24T03:00:00)",
    "cron(0 3 * * ? *)",
    "cron(15 10 ? * 6L 2022-2023)",
    "cron(0/15 3 ? * MON-FRI *)",
    "cron(0 3 ? * FRI-MON *)",
    "cron(0 3 ? * mon,thu *)",
    "cron(*/10 0-6,22,23 ? JAN-MAR,12 2#1 2026,2030/2)",
    "cron(0 3 L * ? *)",
    "cron(0 3 3W * ? *)",
    "cron(59 23 31 12 ? 2199)",
    "cron(0 3 ? * L *)",
    "cron(0  3 * * ? *)",
]
REFUSED = [
    ("daily", "it is none of them"),
    ("rate(daily)", "it is none of them"),
    ("rate(1 week)", "it is none of them"),
    ("rate(-1 days)", "it is none of them"),
    ("rate(1.5 hours)", "it is none of them"),
    ("rate(0 minutes)", "its value must be 1 or more"),
    ("rate(1 minutes)", "write rate(1 minute)"),
    ("rate(2 hour)", "write rate(2 hours)"),
    ("at(noon)", "it is none of them"),
    ("at(2026-02-30T03:00:00)", "there is no moment 2026-02-30T03:00:00"),
    ("at(2026-12-24T25:00:00)", "there is no moment 2026-12-24T25:00:00"),
    (
        "cron(0 3 * * *)",
        "it has 5 fields, not these six: minutes, hours, day of the month, month, ",
    ),
    ("cron(0 3 * * ? * *)", "it has 7 fields"),
    ("cron(99 99 * * ? *)", "its minutes, 99, must be 0 to 59"),
    ("cron(0 24 * * ? *)", "its hours, 24, must be 0 to 23"),
    ("cron(0 3 32 * ? *)", "its day of the month, 32, must be 1 to 31"),
    ("cron(0 3 0W * ? *)", "its day of the month, 0W, must be 1 to 31"),
    ("cron(0 3 * 13 ? *)", "its month, 13, must be 1 to 12 or JAN to DEC"),
    ("cron(0 3 * MON ? *)", "its month, MON, must be 1 to 12 or JAN to DEC"),
    ("cron(0 3 ? * 0 *)", "its day of the week, 0, must be 1 to 7 or SUN to SAT"),
    ("cron(0 3 ? * 2#6 *)", "its day of the week, 2#6, must be 1 to 7 or SUN to SAT"),
    ("cron(0 3 ? * 2#1,6#3 *)", "its day of the week, 2#1,6#3, must be 1 to 7 or SUN to SAT"),
    ("cron(0 3 * * ? 1969)", "its year, 1969, must be 1970 to 2199"),
    ("cron(0 ? * * ? *)", "its hours cannot be ?"),
    ("cron(*/0 3 * * ? *)", "its minutes, */0, must be"),
    ("cron(0-10-20 3 * * ? *)", "its minutes, 0-10-20, must be"),
    ("cron(0, 3 * * ? *)", "its minutes, 0,, must be"),
    ("cron(٣ 3 * * ? *)", "its minutes, ٣, must be"),
    ("cron(0 3 * * * *)", "one of its day of the month and day of the week must be ?"),
    ("cron(0 3 1 * MON *)", "one of its day of the month and day of the week must be ?"),
    ("cron(0 3 ? * ? *)", "one of its day of the month and day of the week must be ?"),
]


@pytest.mark.parametrize("expression", TAKEN)
def test_what_scheduler_accepts_is_accepted(expression: str) -> None:
    settings = {**SECRETS, "schedule_expression": expression, "schedule_input": {}}

    assert parse_settings(settings, "staging").schedule_expression == expression


@pytest.mark.parametrize(("expression", "fault"), REFUSED)
def test_what_scheduler_would_refuse_is_refused_with_the_reason(
    expression: str, fault: str
) -> None:
    settings = {**SECRETS, "schedule_expression": expression, "schedule_input": {}}

    (problem,) = problems_of(settings)

    begin = "schedule_expression must be rate(…), cron(…) with six fields, or at(…)"
    assert problem.startswith(begin)
    assert f": {fault}" in problem
