"""Columns with masks, and random values for them, in groups that one table holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from hypothesis import strategies as st

from tests.support.mask_model_numbers import Type

BOUNDS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
# Letters with and without case, those that are lowered to ASCII, and blanks of several kinds.
AWKWARD = "aAzZ09 .-+_@'\"\\%{}:/\t\n\x7f\u00a0äÄß\u03c3Σ\u03c2I\u0131İ\u212aǅ日🙂\u0301\ufdd0"
LETTERS = st.sampled_from(AWKWARD) | st.characters(
    exclude_categories=("Cs", "Cn"), exclude_characters="\x00"
)
TEXTS = st.text(LETTERS, max_size=40) | st.sampled_from(["", " ", "Ada Lovelace", "Ada"])
DOMAINS = ("example.com", "Example.COM", "mail.example.com", "x.org", "exämple.com")
EMAILS = TEXTS | st.builds(
    "{1}{0}@{2}{3}".format,
    st.text(st.sampled_from("aAbBkK.İ\u212a@,"), min_size=1, max_size=3),
    st.sampled_from(["", "", "", " ", "\u00a0", "x@x.org, "]),
    st.sampled_from(DOMAINS),
    st.sampled_from(["", "", "", " ", "\n", "@"]),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Types of columns, each of which gets each of the rules, and values for all of them.

    Arrays of each type are columns too, but not of JSON.
    """

    types: dict[str, Type]
    rules: Sequence[Any]
    values: st.SearchStrategy[str]

    def columns(self) -> dict[str, tuple[str, Type, Any]]:
        """Return the columns: each with its type as SQL and for the model, and its rule."""
        sorts = list(self.types.items())
        if not {"json", "jsonb"} & self.types.keys():  # of which arrays are not masked by element
            sorts += [(f"{name}[]", replace(of, is_array=True)) for name, of in sorts]
        pairs = [(name, of, rule) for name, of in sorts for rule in self.rules]
        return {f"c{number}": column for number, column in enumerate(pairs)}


def fitting(of: Type, value: str) -> str:
    """Return a value that fits a type."""
    if of.name in BOUNDS:
        bound = BOUNDS[of.name]
        number = int(value)
        return value if -bound <= number < bound else str(number % bound)
    if of.name in {"text", "varchar", "char", "citext"}:
        return value[: of.size]
    return value


def _whole() -> st.SearchStrategy[str]:
    extremes = [edge for bound in BOUNDS.values() for edge in (-bound, 1 - bound, bound - 1)]
    return (
        st.integers(-50, 50) | st.integers(-(2**63), 2**63 - 1) | st.sampled_from(extremes)
    ).map(str)


def _hexadecimal(data: bytes) -> str:
    return f"\\x{data.hex()}"


def _networks() -> st.SearchStrategy[str]:
    return st.builds(
        lambda address, bits: str(ip_network(f"{address}/{bits}", strict=False)),
        st.ip_addresses(v=4) | st.ip_addresses(v=6),
        st.integers(0, 32),
    )


def _numeric(digits: int, scale: int) -> st.SearchStrategy[str]:
    most = 10**digits - 1
    numbers = st.integers(-most, most) | st.sampled_from([0, 1, -1, most, -most])
    return numbers.map(lambda number: f"{number}e{-scale}")


def _floats(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[str]:
    awkward = ["NaN", "Infinity", "-Infinity", "0", "-0", "5", "0.1", "123456.78"]
    return numbers.map(repr) | st.sampled_from(awkward)


TEXT_TYPES = {
    "text": Type("text"),
    "varchar(20)": Type("varchar", 20),
    "char(12)": Type("char", 12),
    "shorter": Type("varchar", 9),  # a domain
}
NUMBER_RULES: list[Any] = [
    "number",
    *({"with": "number", "within": within} for within in (1, 2.5, 10**6, 10**15)),
    *({"with": "number", "within_percent": percent} for percent in (0.01, 33.3, 100)),
]
DATE_RULES: list[Any] = ["date", *({"with": "date", "within_days": n} for n in (1, 400, 36_500))]
AWKWARD_DATES = ["infinity", "-infinity", "4713-01-01 BC", "4000-01-02 BC", "0001-12-31 BC"]
DAYS = [*AWKWARD_DATES, "5874897-12-31", "4999999-12-31"]
MOMENTS = [*AWKWARD_DATES, "294276-12-31 23:59:59.999999", "290000-01-01 00:00:00.000001"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | TEXTS | st.sampled_from([1.5, -0.25, 1e30]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c d", 'q"', "e", "phone"]), inner, max_size=4)
    ),
    max_leaves=8,
)
JSON_RULES: list[Any] = [
    {"with": "json", "paths": paths}
    for paths in (
        {
            "$.a": "hash",
            "$.b.a": "text",
            '$["c d"]': "null",
            '$["q\\""]': {"with": "fixed", "value": [1]},
        },
        {"$.a[*]": "phone", "$.b.*": "number", "$.e[*].a": "email", "$.phone": "ip"},
        {"$[*].a.*": "name", "$[*].b[*][*]": "uuid"},
        {"$.*": {"with": "number", "within_percent": 50}},
    )
]
GROUPS = {
    "hash of texts": Group(TEXT_TYPES, ["hash"], TEXTS),
    "hash of numbers": Group({name: Type(name) for name in BOUNDS}, ["hash"], _whole()),
    "hash of bytes": Group({"bytea": Type("bytea")}, ["hash"], st.binary().map(_hexadecimal)),
    "email": Group(
        {"text": Type("text"), **{f"varchar({n})": Type("varchar", n) for n in (35, 46, 47, 255)}},
        ["email", {"with": "email", "keep_domains": ["Example.com", "x.org"]}],
        EMAILS,
    ),
    "phone": Group(TEXT_TYPES, ["phone", {"with": "phone", "prefix": "+1 5"}], TEXTS),
    "name": Group(TEXT_TYPES, ["name"], TEXTS),
    "text": Group(TEXT_TYPES, ["text"], TEXTS),
    "numbers": Group({name: Type(name) for name in BOUNDS}, NUMBER_RULES, _whole()),
    "numerics": Group(
        {
            "numeric": Type("numeric"),
            "numeric(9,2)": Type("numeric", 9, 2),
            "numeric(7,0)": Type("numeric", 7),
        },
        NUMBER_RULES,
        _numeric(9, 2).filter(lambda number: abs(float(number)) < 10**7 - 1),
    ),
    "fractions": Group(
        {"numeric(5,5)": Type("numeric", 5, 5), "numeric(3,5)": Type("numeric", 3, 5)},
        NUMBER_RULES,
        _numeric(3, 5),
    ),
    "long numerics": Group(
        {"numeric": Type("numeric")},
        NUMBER_RULES,
        st.sampled_from(["NaN", "Infinity", "-Infinity", "1e400", "1.50", "0.000", "-1e-200"])
        | st.decimals(allow_nan=False, allow_infinity=False).map(str),
    ),
    "reals": Group({"real": Type("real")}, NUMBER_RULES, _floats(st.floats(width=32))),
    "doubles": Group(
        {"double precision": Type("double precision")}, NUMBER_RULES, _floats(st.floats())
    ),
    "dates": Group({"date": Type("date")}, DATE_RULES, st.dates().map(str) | st.sampled_from(DAYS)),
    "timestamps": Group(
        {
            "timestamp": Type("timestamp"),
            "timestamptz": Type("timestamptz"),
            "timestamp(0)": Type("timestamp"),
            "timestamptz(3)": Type("timestamptz"),
        },
        DATE_RULES,
        st.datetimes().map(str) | st.sampled_from(MOMENTS),
    ),
    "ip": Group({"inet": Type("inet")}, ["ip"], st.ip_addresses().map(str) | _networks()),
    "ip of networks": Group({"cidr": Type("cidr")}, ["ip"], _networks()),
    "ip of texts": Group(TEXT_TYPES, ["ip"], TEXTS | st.ip_addresses().map(str)),
    "uuid": Group({"uuid": Type("uuid")}, ["uuid"], st.uuids().map(str)),
    "uuid of texts": Group(
        {"text": Type("text"), "varchar(36)": Type("varchar", 36), "char(40)": Type("char", 40)},
        ["uuid"],
        TEXTS | st.uuids().map(str) | st.uuids().map(lambda each: str(each).upper()),
    ),
    "json": Group(
        {"jsonb": Type("jsonb"), "json": Type("json")},
        JSON_RULES,
        JSON.map(lambda value: json.dumps(value, ensure_ascii=False)),
    ),
    "null": Group({"text": Type("text"), "integer": Type("integer")}, ["null"], _whole()),
}
