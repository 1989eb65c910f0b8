"""A page as a parser sees it: its elements, and the text of each."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from write_report.model import Report
from write_report.page.rendering import render

APART = frozenset({"td", "th", "dt", "dd"})  # seen apart from what stands before
VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})
# A start tag ends these elements if the page does not.
CELLS = frozenset({"td", "th"})
ENDED_BY = {"td": CELLS, "th": CELLS, "tr": CELLS | {"tr"}}


@dataclass(slots=True)
class Element:
    """An element with its attributes, and all the text in it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Parsed(HTMLParser):
    """All elements of a page, in their order."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self._open and self._open[-1].tag in ENDED_BY.get(tag, ()):
            self._open.pop()
        if tag in APART:
            self.handle_data(" ")
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements with a tag, and with these attributes."""
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]

    @property
    def text(self) -> str:
        """The text of the body without its script, with single spaces."""
        (body,) = self.all("body")
        (script,) = self.all("script")
        return " ".join(body.text.removesuffix("\n").replace(script.text, "").split())


def parsed(html: str) -> Parsed:
    """Return a page, parsed."""
    page = Parsed()
    page.feed(html)
    page.close()
    return page


def shown(report: Report) -> Parsed:
    """Return a report's page, parsed."""
    return parsed(render(report))
