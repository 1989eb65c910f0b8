"""Numbers, durations and moments as a person reads them."""

from datetime import UTC, datetime

MINUTE, HOUR = 60, 3600


def number(value: float) -> str:
    """Return a whole number with thousands separators: 12,345."""
    return f"{round(value):,}"


def decimal(value: float, decimals: int) -> str:
    """Return a number with so many decimals: 1,234.5."""
    return f"{value:,.{decimals}f}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 row", "2,000 rows"; `many` unless it ends in an s."""
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """Return seconds as "0.4 s", "12 s", "1 min 12 s", "2 h 05 min"."""
    seconds = max(seconds, 0.0)
    if seconds < 9.95:  # noqa: PLR2004 # from here on tenths are noise
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    minutes = round(seconds / MINUTE)
    return f"{number(minutes // MINUTE)} h {minutes % MINUTE:02} min"


def parsed(moment: str) -> datetime | None:
    """Return a moment in ISO 8601, in UTC; None if the text is none."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def moment(text: str) -> str:
    """Return a moment in ISO 8601 as "27 Nov 2026 03:00:12 UTC"; another text as it is."""
    found = parsed(text)
    return f"{found.day} {found:%b %Y %H:%M:%S} UTC" if found else text


def listed(items: list[str]) -> str:
    """Return texts as a list in a sentence: "a, b and c"."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)
