"""A plain model of the masks: what a value becomes under a rule and a key, without SQL.

A value is what PostgreSQL shows of it as a text, but: a date is the days since 2000-01-01, a
timestamp the microseconds since then, bytea is hexadecimal. See `tests.support.shown_values`.
"""

import hashlib
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_interface, ip_network
from typing import Any

from common.masking.keys import MaskKey
from db_sync.mask.fake_names import FIRST_NAMES, LAST_NAMES
from tests.support.mask_model_json import changed_at, json_text, read_json

TEXTS = {"text", "varchar", "char", "citext"}
WHOLE = {"smallint": 2, "integer": 4, "bigint": 8}  # and their bytes
FLOATS = {
    "real": (Fraction("3.4028235e38"), 37),
    "double precision": (Fraction("1.7976931348623157e308"), 300),
}
DAY = 86_400_000_000  # microseconds
# Before 4000 BC, and after these years, a date is moved towards the present only.
FIRST_YEAR, LAST_YEAR, LAST_YEAR_OF_TIMESTAMPS = -3999, 5_000_000, 290_000
BLANKS = " \t\n\r\f\v"
LIKE_AN_ADDRESS = re.compile(r"[^@ \t\n\r\f\v,;<>()\"]+@([^@]+)")


@dataclass(frozen=True, slots=True)
class Type:
    """A type without domains: `size` is a text's length or a numeric's digits.

    Of an array it is the elements' type.
    """

    name: str
    size: int | None = None
    scale: int = 0
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class MaskModel:
    """Masks by a key, in a database of an encoding.

    `lowers_all`: whether it knows the lower case of letters that are not ASCII.
    """

    key: MaskKey
    encoding: str = "utf-8"
    lowers_all: bool = True

    def masked(self, rule: Any, of: Type, value: Any) -> Any:
        """Return what a value becomes under a rule, as the rules' JSON has it."""
        kind, options = _parsed(rule)
        if isinstance(value, list) and kind not in {"null", "fixed"}:
            return [self.masked(rule, of, each) for each in value]
        if value is None or kind == "null":
            return None
        if kind == "fixed":
            return _fixed(of, options["value"])
        if value == "" and of.name in TEXTS:
            return ""
        mask: Callable[[Type, str, dict[str, Any]], str] = getattr(self, f"_{kind}")
        return mask(of, value, options)

    def _digest(self, kind: str, data: bytes) -> bytes:
        return hashlib.sha256(self.key.of_kind(kind) + data).digest()

    def _of_text(self, kind: str, of: Type, value: str) -> bytes:
        return self._digest(kind, _compared(of, value).encode(self.encoding, "surrogateescape"))

    def _hash(self, of: Type, value: str, _: dict[str, Any]) -> str:
        if of.name == "bytea":
            return self._digest("hash", bytes.fromhex(value)).hex()[:32]
        if of.name in WHOLE:
            digest = self._digest("hash", struct.pack(">q", int(value)))
            taken = max(WHOLE[of.name], 4)
            bits = 8 * WHOLE[of.name] - 1
            return str(int.from_bytes(digest[:taken]) % 2**bits)
        return self._of_text("hash", of, value).hex()[: min(32, of.size or 32)]

    def _email(self, of: Type, value: str, options: dict[str, Any]) -> str:
        compared = self.address(value)
        address = LIKE_AN_ADDRESS.fullmatch(compared)
        kept = {domain.lower() for domain in options.get("keep_domains", [])}
        if not value.strip(BLANKS) or (address and address[1] in kept):
            return value
        digits = min(24, (of.size or 1000) - 23)
        local = self._digest("email", self._bytes(compared)).hex()[:digits]
        if compared != value and of.name != "citext":
            local += "-" + self._digest("email", self._bytes(value)).hex()[:8]
        return f"{local}@m{self.key.tag}.invalid"

    def address(self, value: str) -> str:
        """Return an address as it is compared: trimmed, and in lower case."""
        if not self.lowers_all:
            return _ascii_lower(value.strip(BLANKS))
        trimmed = value.strip(BLANKS + "\u00a0")
        if "\ufdd0" in value or "\ufdd1" in value:
            return _ascii_lower(trimmed)
        return "".join(each if each in "\u0130\u212a" else _lower(each) for each in trimmed)

    def _bytes(self, text: str) -> bytes:
        return text.encode(self.encoding, "surrogateescape")

    def _phone(self, of: Type, value: str, options: dict[str, Any]) -> str:
        number = _random(self._of_text("phone", of, value)) % 10**8
        return f"{options.get('prefix', '+999')}{number:08}"[: of.size]

    def _name(self, of: Type, value: str, _: dict[str, Any]) -> str:
        digest = self._of_text("name", of, value)
        names = [FIRST_NAMES[digest[0] % len(FIRST_NAMES)]]
        if " " in value:
            names.append(LAST_NAMES[digest[1] % len(LAST_NAMES)])
        return " ".join(names)[: of.size]

    def _text(self, of: Type, value: str, _: dict[str, Any]) -> str:
        digest = self._of_text("text", of, value)
        return "".join(
            _other(letter, digest[place % 32]) for place, letter in enumerate(value, start=1)
        )

    def _ip(self, of: Type, value: str, _: dict[str, Any]) -> str:
        address, slash, bits = value.partition("/")
        of_host = address if of.name in {"inet", "cidr"} else value
        digest = self._of_text("ip", of, of_host)
        if ":" in of_host:
            groups = [digest[at : at + 2].hex() for at in range(0, 12, 2)]
            made = ":".join(["2001", "db8", *groups])
        else:
            made = ".".join(map(str, [240 + digest[0] % 15, *digest[1:4]]))
        if of.name == "inet":
            return str(ip_interface(made + slash + bits))
        if of.name == "cidr":
            return str(ip_network(made + slash + bits, strict=False))
        return made[: of.size]

    def _uuid(self, of: Type, value: str, _: dict[str, Any]) -> str:
        digits = list(self._of_text("uuid", of, value).hex()[:32])
        digits[12], digits[16] = "4", "8"
        made = "".join(digits)
        return "-".join([made[:8], made[8:12], made[12:16], made[16:20], made[20:]])

    def _number(self, of: Type, value: str, options: dict[str, Any]) -> str:
        if value in {"NaN", "Infinity", "-Infinity"}:
            return value
        old, scale = Fraction(value), _scale(value)
        share = Fraction(_random(self._of_text("number", of, value)), 2**52)
        percent = Fraction(str(options.get("within_percent", 10)))
        greatest = _greatest(of)
        within = abs(old) * percent / 100
        if "within" in options:
            within = Fraction(str(options["within"]))
        within = min(within, max(abs(old), greatest - abs(old)))
        if of.name in WHOLE:
            by = _whole_amount(within, share)
        else:
            by = _rounded(within * (2 * share - 1), min(scale, FLOATS.get(of.name, (0, scale))[1]))
        return _number_text(of, _moved(old, by, greatest), scale)

    def _date(self, of: Type, value: str, options: dict[str, Any]) -> str:
        if value.endswith("infinity"):
            return value
        old, days = int(value), options.get("within_days", 30)
        is_date = of.name == "date"
        digest = self._digest("date", struct.pack(">i" if is_date else ">q", old))
        within, unit = (days, 1) if is_date else (days * 86_400, 1_000_000)
        random = _random(digest) % (2 * within)
        by = random - within + (random >= within)
        length = 1 if is_date else DAY
        last_year = LAST_YEAR if is_date else LAST_YEAR_OF_TIMESTAMPS
        if old > _new_year(last_year) * length:
            by = -abs(by)
        elif old < _new_year(FIRST_YEAR) * length:
            by = abs(by)
        return str(old + by * unit)

    def _json(self, _: Type, value: str, options: dict[str, Any]) -> str:
        found = read_json(value)
        for path, rule in options["paths"].items():

            def replaced(at: Any, rule: Any = rule) -> Any:
                return self._within_json(rule, at)

            found = changed_at(path, found, replaced)
        return json_text(found)

    def _within_json(self, rule: Any, value: Any) -> Any:
        kind, options = _parsed(rule)
        if kind == "fixed":
            return read_json(json.dumps(options["value"]))
        text = value if isinstance(value, str) else json_text(value)
        if kind == "number":
            if isinstance(value, Decimal):
                return Decimal(str(self.masked(rule, Type("numeric"), text)))
            rule = "hash"
        return self.masked(rule, Type("text"), text)


def _parsed(rule: Any) -> tuple[str, dict[str, Any]]:
    return (rule, {}) if isinstance(rule, str) else (rule["with"], rule)


def _fixed(of: Type, value: Any) -> str:
    if of.name in {"json", "jsonb"}:
        return json_text(read_json(json.dumps(value)))
    return value if isinstance(value, str) else json.dumps(value)


def _compared(of: Type, value: str) -> str:
    return "".join(map(_lower, value)) if of.name == "citext" else value


def _lower(letter: str) -> str:
    return letter if len(letter.lower()) != 1 else letter.lower()


def _ascii_lower(text: str) -> str:
    return "".join(each.lower() if each.isascii() else each for each in text)


def _random(digest: bytes) -> int:
    return int(digest.hex()[:13], 16)


def _other(letter: str, random: int) -> str:
    if not letter.isascii() or letter.islower():
        return chr(ord("a") + random % 26)
    if letter.isupper():
        return chr(ord("A") + random % 26)
    return str(random % 10) if letter.isdigit() else letter


def _new_year(year: int) -> int:
    """Return the days from 2000-01-01 to the first of a year; the year 1 BC is 0."""

    def days_before(year: int) -> int:
        ended = year - 1
        return ended * 365 + ended // 4 - ended // 100 + ended // 400

    return days_before(year) - days_before(2000)


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
