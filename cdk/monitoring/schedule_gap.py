"""After how many hours without a start the alarm NoStart rings."""

import math

from cdk.settings.model import Settings
from cdk.settings.schedule_expression import hours_between_starts
from cdk.settings.values import MOST_ALARM_HOURS


def no_start_hours(settings: Settings) -> int | None:
    """Return the hours that are set, or those of a rate; None where it never rings."""
    if settings.alarm_no_start_hours:
        return settings.alarm_no_start_hours
    hours = least_no_start_hours(settings)
    return hours if hours is not None and hours <= MOST_ALARM_HOURS else None


def least_no_start_hours(settings: Settings) -> int | None:
    """Return the hours that may pass without a start though all is well; None but for rate(…)."""
    pause = hours_between_starts(settings.schedule_expression)
    if pause is None:
        return None
    late = (settings.schedule_window_minutes or 0) + settings.schedule_retry_minutes
    return math.ceil(pause + late / 60) + 1  # a start counts in the hour that it falls into
