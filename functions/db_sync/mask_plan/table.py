"""What mask-plan shows on a terminal: for each table what becomes of its columns.

Only the command imports this: rich is not in the Lambdas' layer.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.postgres.names import TableColumn, join_name
from db_sync.mask_plan.lines import Decision, cut, lines, short_type
from db_sync.mask_plan.planning import MaskPlan
from db_sync.plan.tables import TablePlan

WIDEST = 160
STYLES = {Decision.MADE: "", Decision.PROPOSED: "bold yellow", Decision.OPEN: "bold red"}
GAP = 2  # characters between two columns
WIDEST_TYPE, NARROW = 24, 100
MOST_PATHS = 40  # that are listed of a column
# The headings, and of the width that the types leave how much each has, in percent.
HEADINGS = {"column": 26, "type": 0, "becomes": 17, "why": 28, "masked sample": 29}
TYPE, SAMPLE = "type", "masked sample"


class _Layout:
    """How wide the columns are: the same in all tables."""

    def __init__(self, console: Console, plan: MaskPlan) -> None:
        self._is_narrow = console.width < NARROW
        parts = [
            part
            for table in plan.plan.tables
            for column in table.source.columns.values()
            for part in self.type(short_type(column.type)).split("\n")
        ]
        type_ = min(max(map(len, parts), default=0), WIDEST_TYPE)
        left = console.width - type_ - GAP * len(HEADINGS)
        self.widths = {heading: left * share // 100 for heading, share in HEADINGS.items()}
        self.widths[TYPE] = max(type_, len(TYPE))

    def type(self, name: str) -> str:
        """Return a type's name, in lines if the terminal is narrow."""
        return name.replace("(", "\n(").replace(".", ".\n") if self._is_narrow else name


def print_plan(plan: MaskPlan, output: str, *, has_random_key: bool) -> None:
    """Print what becomes of each column, what is to be looked at, and what was written.

    Args:
        plan: the plan.
        output: the file that the rules were written to.
        has_random_key: whether the samples are masked by a key that nothing else uses.
    """
    console = Console()
    console.width = min(console.width, WIDEST)
    layout = _Layout(console, plan)
    for table in plan.plan.tables:
        _print_table(console, plan, table, layout)
    for sentence in _remarks(plan):
        _print(console, sentence)
    if has_random_key:
        _print(console, "MASK_KEY is not set: the samples are masked with a key of their own.")
    next_ = "correct the problems" if plan.problems else "go through it"
    _print(console, f"{_counts(plan)}. Written to {output}: {next_}, then sync with --rules.")


def _remarks(plan: MaskPlan) -> list[str]:
    return [
        *(f"left alone: {name} ({reason})" for name, reason in plan.plan.left_alone.items()),
        *(
            f"unreadable: {name} ({reason}); planned by names and types alone"
            for name, reason in plan.unread.items()
        ),
        *(f"holds subs: {each}" for each in plan.following.undecided),
        *(f"warning: {warning}" for warning in plan.plan.notices),
        *(f"problem: {problem}" for problem in plan.problems),
    ]


def _counts(plan: MaskPlan) -> str:
    counts = f"{len(plan.proposal.masks)} masks proposed, {len(plan.given.masks)} rules kept"
    if following := len(plan.following.proposed):
        counts += f", {following} columns with subs to follow"
    if undecidable := len(plan.proposal.undecidable):
        counts += f", {undecidable} columns look personal and no mask fits them"
    return counts


def _print(console: Console, text: str, style: str = "") -> None:
    console.print(Text(_printable(text), style=style))


def _print_table(console: Console, plan: MaskPlan, table: TablePlan, layout: _Layout) -> None:
    shown = Table(box=None, padding=(0, GAP, 0, 0), header_style="dim")
    for heading, width in layout.widths.items():
        shown.add_column(heading, width=width, overflow="fold")
    for line in lines(plan, table):
        becomes = Text(_printable(line.fate.becomes), style=STYLES[line.fate.decision])
        sample = [cut(_printable(value), layout.widths[SAMPLE]) for value in line.sample]
        shown.add_row(
            Text(_printable(line.name)),
            Text(layout.type(_printable(line.type))),
            becomes,
            Text(_printable(line.fate.why)),
            Text("\n".join(sample)),
        )
    _print(console, join_name(*table.name), "bold underline")
    console.print(shown)
    for name in table.source.columns:
        inside = plan.samples.json.get(TableColumn(table.name, name))
        if inside and inside.others and not inside.is_hopeless:
            _print(console, f"{name} also has {_listed(inside.others)}", "italic")
    console.print()


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - MOST_PATHS
    return ", ".join(paths[:MOST_PATHS]) + (f" and {more} more" if more > 0 else "")


def _printable(text: str) -> str:
    """Return a text without characters that a terminal would obey."""
    return "".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text)
