"""Charts as inline SVG.

Positions are percentages and texts have the size of the page's, so that a chart is as readable at
400 pixels as at 1,280. Colours are classes: the page has no style attribute.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from write_report.page.text import plain
from write_report.words import HOUR, MINUTE, duration

DAY = 24 * HOUR
STEPS = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
    30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
)  # fmt: skip
MOST_TICKS = 4
ROW, BAR, AXIS = 38, 14, 22  # heights in pixels
COLUMNS, HEADROOM = 72, 16
FEWEST = 12  # columns: fewer runs are not drawn wider
LEAST = 0.4  # per cent: what is there is seen


@dataclass(frozen=True, slots=True)
class Span:
    """What took from `start` to `end`, in seconds from the beginning; `kind` is its class."""

    label: str
    start: float
    end: float
    kind: str = "step"
    note: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Column:
    """One run in a chart of runs; `value` None: it has none. `kind` is its class."""

    label: str
    value: float | None
    shown: str
    kind: str = ""
    sign: str = ""  # stands above the column


def bar(parts: Sequence[float], most: float, *, stretches: bool = False) -> Markup:
    """Return a bar of parts side by side, each with its own colour; `most` fills it.

    It is 100 pixels wide, unless it stretches. It is short, since a page may have hundreds.
    """
    ends = [round(100 * each / most) if most else 0 for each in accumulate(parts)]
    drawn = ""
    start = 0
    for number, (end, part) in enumerate(zip(ends, parts, strict=True)):
        end = max(end, start + 1) if part else start  # noqa: PLW2901 # never narrower than a pixel
        if part:
            drawn += f"<path class={'abcdefghij'[number]} d=M{start},4H{end} />"
        start = end
    stretch = ' viewBox="0 0 100 8" preserveAspectRatio="none"' if stretches else ""
    return Markup(f"<svg{stretch}>{drawn}</svg>")  # noqa: S704 # numbers only


def timeline(title: str, spans: Sequence[Span], total: float) -> Markup:
    """Return spans below each other, over an axis of `total` seconds."""
    total = max(total, 0.1)
    height = ROW * len(spans) + AXIS
    parts = [*_axis(total, height)]
    for number, span in enumerate(spans):
        top = ROW * number
        left = 100 * span.start / total
        width = min(max(100 * span.seconds / total, LEAST), 100 - left + LEAST)
        what = " · ".join(part for part in (duration(span.seconds), span.note) if part)
        parts.append(
            Markup(
                '<text y="{}"><tspan class="label">{}</tspan><tspan dx="8">{}</tspan></text>'
            ).format(top + 13, plain(span.label), plain(what))
            + Markup(
                '<rect class="rail" y="{0}" width="100%" height="{1}" rx="3"/>'
                '<rect class="{2}" x="{3:.2f}%" y="{0}" width="{4:.2f}%" height="{1}" rx="3"/>'
            ).format(top + 18, BAR, span.kind, left, width)
        )
    told = "; ".join(
        f"{span.label}: from {duration(span.start)} on, {duration(span.seconds)}"
        + (f", {span.note}" if span.note else "")
        for span in spans
    )
    return _image("timeline", title, told, height, parts)


def _axis(total: float, height: int) -> Iterable[Markup]:
    """Yield lines at round durations, with what they are; the last one leaves room for itself."""
    step = next((each for each in STEPS if total / each <= MOST_TICKS), total / MOST_TICKS)
    for number in range(int(total / step) + 1):
        at = 100 * number * step / total
        anchor = "start" if not number else "end" if at > 92 else "middle"  # noqa: PLR2004 # per cent
        yield Markup(
            '<line class="grid" x1="{:.2f}%" x2="{:.2f}%" y2="{}"/>'
            '<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>'
        ).format(at, at, height - AXIS + 4, at, height - 6, anchor, _short(number * step))


def _short(seconds: float) -> str:
    """Return a round duration for an axis."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:g} s" if seconds < HOUR else duration(seconds)


def columns(title: str, runs: Sequence[Column]) -> Markup:
    """Return a column per run, the oldest first."""
    most = max((run.value or 0 for run in runs), default=0) or 1
    height = HEADROOM + COLUMNS + 1
    base = Markup('<line class="base" y1="{0}" y2="{0}" x2="100%"/>').format(height - 0.5)
    drawn = [_column(run, number, len(runs), most) for number, run in enumerate(runs)]
    told = f"{len(runs)} runs; the last one: {runs[-1].shown}" if runs else "no runs"
    return _image("columns", title, told, height, [base, *drawn])


def _column(run: Column, number: int, count: int, most: float) -> Markup:
    """Return a run's column, with its sign above it; one without a height has a 0."""
    slot = 100 / max(count, FEWEST)
    tall = max(COLUMNS * (run.value or 0) / most, 1.5 if run.value else 0)
    top = HEADROOM + COLUMNS - tall
    drawn = Markup(
        '<rect class="run {}" x="{:.2f}%" y="{:.1f}" width="{:.2f}%" height="{:.1f}"/>'
    ).format(run.kind, (number + 0.14) * slot, top, 0.72 * slot, tall)
    sign, kind = (run.sign, "sign") if run.sign else ("0" if run.value == 0 else "", "zero")
    if sign:
        drawn += Markup(
            '<text class="{}" x="{:.2f}%" y="{:.1f}" text-anchor="middle">{}</text>'
        ).format(kind, (number + 0.5) * slot, top - 4, sign)
    label = plain(f"{run.label}: {run.shown}")
    return Markup("<g><title>{}</title>{}</g>").format(label, drawn)


def _image(kind: str, title: str, told: str, height: int, parts: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="{}" role="img" width="100%" height="{}">'
        "<title>{}</title><desc>{}</desc>{}</svg>"
    ).format(kind, height, title, plain(told), Markup("").join(parts))


def icon(tone: str) -> Markup:
    """Return the sign of a verdict: its form tells what its colour does."""
    forms = {
        "good": '<circle cx="16" cy="16" r="14"/><path d="m9.5 16.5 4.5 4.5 9-10"/>',
        "note": '<circle cx="16" cy="16" r="14"/><path d="M16 14.5v8.5M16 9v.5"/>',
        "care": '<path class="form" d="M16 3 30.5 28.5h-29z"/><path d="M16 12v8.5M16 24.3v.5"/>',
        "bad": '<path class="form" d="M10.2 2h11.6L30 10.2v11.6L21.8 30H10.2L2 21.8V10.2z"/>'
        '<path d="m11 11 10 10M21 11 11 21"/>',
    }
    return Markup('<svg class="icon" viewBox="0 0 32 32" aria-hidden="true">{}</svg>').format(
        Markup(forms[tone])  # noqa: S704 # a constant
    )
