r"""Texts of others as HTML: they do nothing but show, and nothing in them is invisible.

A table's name may hold markup, line breaks, or marks that turn the direction of what follows.
Characters that are not seen are written as such: `\n`, `U+202E`.
"""

from markupsafe import Markup, escape

# They have names that people know; the others are shown by their number.
KNOWN = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
LONGEST = 4000  # characters that are shown of a text, which may be of any length


def shown(text: str) -> Markup:
    """Return a text, or its beginning, as HTML in which characters that are not seen are marked."""
    if len(text) > LONGEST:
        return shown(text[:LONGEST]) + f" … {len(text) - LONGEST:,} more characters"
    if text.isprintable():
        return escape(text)
    return Markup("").join(
        escape(each) if each.isprintable() else Markup("<mark>{}</mark>").format(_named(each))
        for each in text
    )


def name(text: str) -> Markup:
    """Return a name as HTML whose direction does not affect what stands around it."""
    return Markup("<bdi>{}</bdi>").format(shown(text))


def lines(text: str) -> Markup:
    """Return a text of several lines as `shown`, for where white space counts."""
    more = len(text) - LONGEST
    cut = Markup("\n").join(map(shown, text[:LONGEST].replace("\r\n", "\n").split("\n")))
    return cut + f"\n… {more:,} more characters" if more > 0 else cut


def plain(text: str) -> str:
    """Return a text as `shown`, without HTML."""
    return "".join(each if each.isprintable() else _named(each) for each in text)


def _named(character: str) -> str:
    return KNOWN.get(character, f"U+{ord(character):04X}")
