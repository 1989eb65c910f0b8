"""Reads the documentation's pages for tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FENCE = "```"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its section, its language, and the label after that, like `production`."""

    section: str
    language: str
    label: str
    text: str


def read_page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (DOCS / name).read_text()


def all_blocks(page: str) -> Iterator[Block]:
    """Return every fenced block of a page, in order."""
    section, opened = "", ""
    lines: list[str] = []
    for line in page.splitlines():
        if opened and line == FENCE:
            language, _, label = opened.partition(" ")
            yield Block(section, language, label, "\n".join(lines) + "\n")
            opened = ""
        elif opened:
            lines.append(line)
        elif line.startswith(FENCE):
            opened, lines = line.removeprefix(FENCE), []
        elif line.startswith("## "):
            section = line.removeprefix("## ")


def blocks(page: str, language: str) -> list[str]:
    """Return the texts of a page's blocks in a language, in order."""
    return [block.text for block in all_blocks(page) if block.language == language]


def headings(page: str) -> list[str]:
    """Return the page's headings, without the comments in its blocks."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)
