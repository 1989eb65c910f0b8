"""How long a schedule may leave the workflow alone before something is wrong."""

import math
import re

from config import Settings

DAYS = {
    name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)
}
WEEK = 7
HOURS_OF = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
# An hour for the end of summer time, and one for that in which the metric is still counted.
ALLOWANCE = 2
MOST_HOURS = 24 * WEEK  # what an alarm looks back at, at most
ANY = {"*", "?"}


def hours_without_a_start(settings: Settings) -> int | None:
    """Return after how many hours without a start the schedule is overdue.

    Returns:
        None where that is unknown, or more than an alarm can look back at: starts on some days
        of the month, once a week, or once only.
    """
    pause = _longest_pause(settings.schedule_expression or "")
    if pause is None:
        return None
    late = (settings.schedule_window_minutes or 0) + settings.schedule_retry_minutes
    hours = math.ceil(pause + late / 60) + ALLOWANCE
    return hours if hours <= MOST_HOURS else None


def _longest_pause(expression: str) -> float | None:
    """Return the most hours from one start to the next, as far as the expression tells."""
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return int(rate[1]) * HOURS_OF[rate[2]]
    cron = re.fullmatch(r"cron\(\S+ \S+ (\S+) (\S+) (\S+) (\S+)\)", expression)
    if cron is None:
        return None
    day_of_month, month, day_of_week, year = cron.groups()
    if not {day_of_month, month, year} <= ANY:
        return None
    if day_of_week in ANY:
        return 24.0
    days = _days(day_of_week)
    return None if days is None else 24.0 * _longest_step(days)


def _days(field: str) -> set[int] | None:
    """Return the days of the week that a cron field names; None where it is no plain list."""
    days: set[int] = set()
    for part in field.upper().split(","):
        ends = [DAYS.get(end) or _number(end) for end in part.split("-")]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:  # noqa: PLR2004 - a range's ends
            return None
        days |= {(first - 1 + step) % WEEK + 1 for step in range((last - first) % WEEK + 1)}
    return days


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-7]", text) else None


def _longest_step(days: set[int]) -> int:
    """Return the most days from one of these to the next."""
    ordered = sorted(days)
    following = [*ordered[1:], ordered[0] + WEEK]
    return max(later - day for day, later in zip(ordered, following, strict=True))
