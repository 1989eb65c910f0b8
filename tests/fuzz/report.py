"""Shows the rounds' progress as a table, and writes a file for each finding."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.table import Table

from tests.fuzz.finding import Finding
from tests.fuzz.rounds import SOURCE, Round, Statement, Sync

FOLDER = Path("build/fuzz")


@dataclass(slots=True)
class Progress:
    """How many rounds ran, and the results of their syncs."""

    rounds: int = 0
    findings: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long the rounds have been running."""
        return time.monotonic() - self.started

    def as_table(self) -> Table:
        """Return all figures as a table."""
        table = Table(box=box.ASCII2, show_header=False)
        table.add_column("what")
        table.add_column("count", justify="right")
        table.add_row("rounds", f"{self.rounds:,}")
        for what, count in sorted(self.counts.items()):
            table.add_row(what, f"{count:,}")
        table.add_row("findings", f"{self.findings:,}")
        table.add_row("seconds", f"{self.seconds:,.0f}")
        return table


def save(round_: Round, finding: Finding, folder: Path = FOLDER) -> Path:
    """Write a round's statements for psql, with what was found; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{round_.seed}.sql"
    in_parts = " --in-parts" if round_.is_in_parts else ""
    about = (
        f"{finding}\n\nmake fuzz FUZZ='--rounds 1 --seed {round_.seed}{in_parts}'\n"
        f"servers {' and '.join(round_.servers)}, target's role {round_.role}, rules"
        f" {round_.rules or 'none'}, small limits {round_.is_large}, plain reader"
        f" {round_.is_reader}"
    )
    lines = [f"-- {line}".rstrip() for line in about.splitlines()]
    side = None
    for step in round_.steps:
        if isinstance(step, Sync):
            lines.append(f"-- sync{' (a dry run first)' if step.is_tried_dry else ''}")
            continue
        if step.side != side:
            side = step.side
            lines.append(f"\\connect {'source' if side == SOURCE else 'target'}")
        lines.append(_as_script(step))
    path.write_text("\n".join(lines) + "\n")
    return path


def _as_script(step: Statement) -> str:
    sql = f"{step.sql.strip()};"
    if not step.is_past_keys:
        return sql
    return f"SET session_replication_role = replica; {sql} RESET session_replication_role;"
