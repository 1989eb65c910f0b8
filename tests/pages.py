"""The documentation's pages as tests read them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def read_page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (DOCS / name).read_text()


def blocks(page: str, language: str) -> list[str]:
    """Return what stands between a page's fences of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def headings(page: str) -> list[str]:
    """Return the page's headings, without those that are comments in a block."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)
