"""Numbers for the model of the masks: moved by an amount, within the bounds of their type."""

import struct
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

WHOLE = {"smallint": 2, "integer": 4, "bigint": 8}  # and their bytes
FLOATS = {
    "real": (Fraction("3.4028235e38"), 37),
    "double precision": (Fraction("1.7976931348623157e308"), 300),
}


@dataclass(frozen=True, slots=True)
class Type:
    """A type without domains: `size` is a text's length or a numeric's digits.

    Of an array it is the elements' type.
    """

    name: str
    size: int | None = None
    scale: int = 0
    is_array: bool = False


def moved_number(of: Type, value: str, random: int, options: dict[str, Any]) -> str:
    """Return a number moved by an amount that depends on a random one of 52 bits."""
    if value in {"NaN", "Infinity", "-Infinity"}:
        return value
    old, scale = Fraction(value), _scale(value)
    greatest, share = _greatest(of), Fraction(random, 2**52)
    within = abs(old) * Fraction(str(options.get("within_percent", 10))) / 100
    if "within" in options:
        within = Fraction(str(options["within"]))
    within = min(within, max(abs(old), greatest - abs(old)))
    places = min(scale, FLOATS.get(of.name, (0, scale))[1])
    by = _whole_amount(within * 10**places, share) / 10**places
    return _number_text(of, _moved(old, by, greatest), scale)


def _scale(number: str) -> int:
    exponent = Decimal(number).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _greatest(of: Type) -> Fraction:
    if of.name in WHOLE:
        return Fraction(2 ** (8 * WHOLE[of.name] - 1) - 1)
    if of.name in FLOATS:
        return FLOATS[of.name][0]
    if of.size is None:
        return Fraction(10) ** 1000
    return Fraction(10) ** (of.size - of.scale) - Fraction(10) ** -of.scale


def _whole_amount(within: Fraction, share: Fraction) -> Fraction:
    most = within.__floor__()
    by = (2 * most * share).__floor__() - most
    return Fraction(0 if most == 0 else by + (by >= 0))


def _moved(old: Fraction, by: Fraction, greatest: Fraction) -> Fraction:
    """Return the number moved; the other way where it would lose its sign or be too large."""
    if by == 0:
        return old
    for moved in (old + by, old - by):
        has_sign = moved * old > 0 if old else moved > 0
        if has_sign and abs(moved) <= greatest:
            return moved
    moved = min(abs(old) + abs(by), greatest)
    return moved if old > 0 else -moved


def _rounded(number: Fraction, scale: int) -> Fraction:
    """Return a number rounded to so many decimal places, halves away from zero."""
    scaled = abs(number) * Fraction(10) ** scale
    whole = (scaled + Fraction(1, 2)).__floor__()
    return Fraction(whole if number >= 0 else -whole) / Fraction(10) ** scale


def _number_text(of: Type, number: Fraction, scale: int) -> str:
    if of.name in FLOATS:
        return repr(_nearest(of.name, number))
    scale = scale if of.size is None and of.name not in WHOLE else of.scale
    digits = _rounded(number, scale) * Fraction(10) ** scale
    whole = str(abs(int(digits))).rjust(max(scale, 0) + 1, "0")
    text = f"{whole[:-scale]}.{whole[-scale:]}" if scale > 0 else whole + "0" * -scale
    return text if digits >= 0 else f"-{text}"


def _nearest(name: str, number: Fraction) -> float:
    as_double = float(number)
    if name == "double precision":
        return as_double
    (nearest,) = struct.unpack("f", struct.pack("f", as_double))
    return float(nearest)
