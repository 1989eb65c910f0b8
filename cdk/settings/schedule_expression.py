"""Checks a schedule as EventBridge Scheduler would: rate(…), cron(…) and at(…).

Its grammar, and what it does when clocks change: EventBridge Scheduler user guide, "Schedule
types", https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime

HOURS_OF = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)", re.ASCII)
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class CronField:
    """One of the six fields of cron(…): its numbers, their names, and its special values."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()  # of the numbers from `least` on
    special: str = r"(?!)"  # a pattern; this one matches nothing

    def fault(self, text: str) -> str | None:
        """Return what is wrong with a field, None if nothing is."""
        if text == "?" and self.name not in DAY_FIELDS:
            return f"its {self.name} cannot be ?, which only the two fields of days take"
        if text == "?" or re.fullmatch(self.special, text):
            return None
        if all(self._takes(part) for part in text.split(",")):
            return None
        named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"its {self.name}, {text}, must be {self.least} to {self.most}{named}"

    def _takes(self, part: str) -> bool:
        """Return whether a field may have this between its commas: 5, 5-10, *, */15, 5/15."""
        base, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdecimal() and 0 < int(step) <= self.most):
            return False
        if base == "*":
            return True
        ends = base.split("-")
        return len(ends) in {1, 2} and all(self._is_number(end) for end in ends)

    def _is_number(self, text: str) -> bool:
        if text.upper() in self.names:
            return True
        return text.isascii() and text.isdecimal() and self.least <= int(text) <= self.most


DAY_FIELDS = ("day of the month", "day of the week")
CRON_FIELDS = (
    CronField("minutes", 0, 59),
    CronField("hours", 0, 23),
    # L: the month's last day; 15W: the weekday nearest to the 15th.
    CronField(DAY_FIELDS[0], 1, 31, special=r"L|LW|([1-9]|[12]\d|3[01])W"),
    CronField("month", 1, 12, names=MONTHS),
    # 6L: the month's last Friday; 6#3: its third.
    CronField(
        DAY_FIELDS[1],
        1,
        7,
        names=DAYS,
        special=rf"(?i:([1-7]|{'|'.join(DAYS)})?L|"
        rf"([1-7]|{'|'.join(DAYS)})#[1-5])",
    ),
    CronField("year", 1970, 2199),
)


def fault_of(expression: str) -> str | None:
    """Return what is wrong with a schedule's expression, None if Scheduler takes it."""
    if rate := RATE.fullmatch(expression):
        return _fault_of_rate(int(rate[1]), rate[2], plural=rate[3] == "s")
    if at := AT.fullmatch(expression):
        return _fault_of_moment(at[1])
    if cron := re.fullmatch(r"cron\((.*)\)", expression):
        return _fault_of_cron(cron[1].split())
    return "it is none of them"


def longest_gap(expression: str | None, late_minutes: int) -> int | None:
    """Return the hours between two starts at the most; None unless the schedule is rate(…).

    Those of cron(…) are not calculated: a start in the hour that is skipped in spring is left out,
    so that 47 hours may pass between two nightly ones.

    Args:
        expression: the schedule's.
        late_minutes: how late a start may be.
    """
    rate = RATE.fullmatch(expression or "")
    if rate is None:
        return None
    hours = int(rate[1]) * HOURS_OF[rate[2]] + late_minutes / 60
    return math.ceil(hours) + 1  # a start counts in the hour that it falls into


def _fault_of_rate(value: int, unit: str, *, plural: bool) -> str | None:
    if value == 0:
        return "its value must be 1 or more"
    if plural is (value == 1):
        return f"write rate({value} {unit}{'' if value == 1 else 's'})"
    return None


def _fault_of_moment(text: str) -> str | None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return f"there is no moment {text}"
    return None


def _fault_of_cron(fields: list[str]) -> str | None:
    if len(fields) != len(CRON_FIELDS):
        names = ", ".join(kind.name for kind in CRON_FIELDS)
        return f"it has {len(fields)} fields, not these six: {names}"
    for kind, text in zip(CRON_FIELDS, fields, strict=True):
        if fault := kind.fault(text):
            return fault
    if [fields[2], fields[4]].count("?") != 1:
        return f"one of its {DAY_FIELDS[0]} and {DAY_FIELDS[1]} must be ?, and the other not"
    return None
