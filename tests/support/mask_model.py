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
from ipaddress import ip_interface, ip_network
from typing import Any

from common.masking.keys import MaskKey
from db_sync.mask.fake_names import FIRST_NAMES, LAST_NAMES
from tests.support.mask_model_json import changed_at, json_text, read_json
from tests.support.mask_model_numbers import WHOLE, Type, moved_number

TEXTS = {"text", "varchar", "char", "citext"}
DAY = 86_400_000_000  # microseconds
# Before 4000 BC, and after these years, a date is moved towards the present only.
FIRST_YEAR, LAST_YEAR, LAST_YEAR_OF_TIMESTAMPS = -3999, 5_000_000, 290_000
BLANKS = " \t\n\r\f\v"
LIKE_AN_ADDRESS = re.compile(r"[^@ \t\n\r\f\v,;<>()\"]+@([^@]+)")


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
        random = _random(self._of_text("number", of, value))
        return moved_number(of, value, random, options)

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
