"""The SQL for each kind of mask: an expression over one value, computed on the source.

NULL stays NULL, and so does an empty text. Functions are called with their schema, as in
`compare.row_hash`; remainders by mod(), since % would be a placeholder to the driver.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from psycopg2 import sql

from common.emails import BYTEWISE
from common.json_paths import replaced_at
from common.masking.emails import digits_of
from common.masking.keys import digest, hexadecimal, text_digest
from common.postgres.queries import load_query
from db_sync.mask.fake_names import FIRST_NAMES, LAST_NAMES
from db_sync.mask.kinds import (
    DEFAULT_DAYS,
    DEFAULT_PERCENT,
    UNASSIGNED,
    MaskRule,
)

HASH_DIGITS = 32  # hexadecimal; all that may be shown of a digest
PHONE_DIGITS = 8
SECONDS_OF_A_DAY = 86_400
# What an integer's hash is cut to: 8, 4 or 2 bytes, and no sign.
INTEGER_HASHES = {
    "bigint": "pg_catalog.int8(('x' || {})::bit(64)) & 9223372036854775807",
    "integer": "pg_catalog.int4(('x' || {})::bit(32)) & 2147483647",
    "smallint": "(pg_catalog.int4(('x' || {})::bit(32)) & 32767)::smallint",
}
# The least that a number is moved by, in mask_number.sql: one in its last decimal place.
UNIT = "pg_catalog.concat('1e', '{sign}', least(pg_catalog.scale(old), {places}))::numeric"
MOST_PLACES = 16_383  # of a numeric
# Places of a number in binary that is so small that less would be none.
LEAST_PLACES = {"real": 37, "double precision": 300}
# 2 to the power of -52 as a numeric: unlike a quotient, a product has all of its digits, in any
# version of PostgreSQL.
SHARE = f"0.{5**52:052}"
# The functions that return a date's bytes, whatever the session's settings are.
SENT = {
    "date": "date_send",
    "timestamp without time zone": "timestamp_send",
    "timestamp with time zone": "timestamptz_send",
}
# Dates beyond these are moved towards the present: there are none after the last.
OUTERMOST = {
    "date": ("4000-01-01 BC", "5000000-01-01"),
    "timestamp without time zone": ("4000-01-01 BC", "290000-01-01"),
    "timestamp with time zone": ("4000-01-01 BC", "290000-01-01"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value to be masked, and what the result must fit.

    `expression` is its SQL, and `type` its type without domains, lengths and arrays; "citext"
    whatever its schema. `collation` and `tag`: see `EmailMask.masked`. `greatest` is a number's
    greatest absolute value, in SQL.
    """

    expression: sql.Composable
    type: str
    most_characters: int | None
    greatest: str
    collation: str
    tag: str

    @property
    def text(self) -> sql.Composable:
        """The value as a text that compares bytewise."""
        return sql.SQL("(CAST({} AS text) {})").format(self.expression, BYTEWISE)

    @property
    def compared(self) -> sql.Composable:
        """The text, in lower case if its type ignores case: equal values have equal masks."""
        if self.type != "citext":
            return self.text
        return sql.SQL(
            '(pg_catalog.lower(CAST({} AS text) COLLATE pg_catalog."default") {})'
        ).format(self.expression, BYTEWISE)


def masked(rule: MaskRule, value: Value) -> sql.Composable:
    """Return the SQL for a value masked by a rule of any kind but "sql"."""
    return MASKS[rule.kind](rule, value)


def _null(_: MaskRule, __: Value) -> sql.Composable:
    return sql.SQL("NULL")


def _fixed(rule: MaskRule, value: Value) -> sql.Composable:
    fixed = rule.options["value"]
    is_json = value.type in {"json", "jsonb"} or not isinstance(fixed, str)
    # IS NOT NULL would be false of a row (a composite type) in which one field is NULL.
    return sql.SQL("CASE WHEN {} IS DISTINCT FROM NULL THEN {} END").format(
        value.expression, sql.Literal(json.dumps(fixed) if is_json else fixed)
    )


def _hash(_: MaskRule, value: Value) -> sql.Composable:
    if value.type == "bytea":
        return sql.SQL("pg_catalog.substr({}, 1, {})").format(
            digest("hash", value.expression), sql.Literal(HASH_DIGITS // 2)
        )
    if value.type in INTEGER_HASHES:
        sent = sql.SQL("pg_catalog.int8send(({})::bigint)").format(value.expression)
        digits = 16 if value.type == "bigint" else 8
        return sql.SQL(INTEGER_HASHES[value.type]).format(hexadecimal(digest("hash", sent), digits))
    digits = min(HASH_DIGITS, value.most_characters or HASH_DIGITS)
    return _unless_empty(value, hexadecimal(text_digest("hash", value.compared), digits))


def _email(rule: MaskRule, value: Value) -> sql.Composable:
    return rule.email.masked(
        value.text,
        value.collation,
        value.tag,
        digits_of(value.most_characters),
        has_suffix=value.type != "citext",
    )


def _phone(rule: MaskRule, value: Value) -> sql.Composable:
    number = sql.SQL("{} || pg_catalog.lpad(pg_catalog.mod({}, {})::text, {}, '0')").format(
        sql.Literal(rule.options.get("prefix", UNASSIGNED)),
        _random(text_digest("phone", value.compared)),
        sql.Literal(10**PHONE_DIGITS),
        sql.Literal(PHONE_DIGITS),
    )
    return _unless_empty(value, _cut(value, number))


def _name(_: MaskRule, value: Value) -> sql.Composable:
    name = _query(
        "mask_name",
        first=_array(FIRST_NAMES),
        last=_array(LAST_NAMES),
        count=sql.Literal(len(FIRST_NAMES)),
        text=value.text,
        digest=text_digest("name", value.compared),
    )
    return _unless_empty(value, _cut(value, name))


def _text(_: MaskRule, value: Value) -> sql.Composable:
    return _query("mask_text", digest=text_digest("text", value.compared), text=value.text)


def _number(rule: MaskRule, value: Value) -> sql.Composable:
    # The text of a number in binary has all of its digits, its numeric has six or fifteen.
    exact = value.text if value.type in LEAST_PLACES else value.expression
    number = sql.SQL("({})::numeric").format(exact)
    if "within" in rule.options:
        within: sql.Composable = _numeric(Decimal(str(rule.options["within"])))
    else:
        percent = Decimal(str(rule.options.get("within_percent", DEFAULT_PERCENT)))
        within = sql.SQL("pg_catalog.abs(old) * {}").format(_numeric(percent / 100))
    places = LEAST_PLACES.get(value.type, MOST_PLACES)
    is_whole = value.type in INTEGER_HASHES
    unit, units = (
        sql.SQL("1" if is_whole else UNIT.format(sign=sign, places=places)) for sign in ("-", "")
    )
    return _query(
        "mask_number",
        number=number,
        within=within,
        unit=unit,
        units=units,
        share=sql.SQL("{}::numeric * {}").format(
            _random(text_digest("number", value.text)), sql.SQL(SHARE)
        ),
        most=sql.SQL("{}::numeric").format(sql.SQL(value.greatest)),
    )


def _date(rule: MaskRule, value: Value) -> sql.Composable:
    """Return the date moved by whole days, or the timestamp moved by whole seconds."""
    is_date = value.type == "date"
    days = rule.options.get("within_days", DEFAULT_DAYS)
    first, last = (
        sql.SQL("{}::{}").format(sql.Literal(each), sql.SQL(value.type))
        for each in OUTERMOST[value.type]
    )
    sent = sql.SQL(f"pg_catalog.{SENT[value.type]}({{}})").format(value.expression)
    return _query(
        "mask_date",
        value=value.expression,
        within=sql.Literal(days if is_date else days * SECONDS_OF_A_DAY),
        unit=sql.SQL("1" if is_date else "interval '1 second'"),
        counted=sql.SQL("integer" if is_date else "bigint"),
        first=first,
        last=last,
        random=_random(digest("date", sent)),
    )


def _ip(_: MaskRule, value: Value) -> sql.Composable:
    """Return another address; the same for an address without its netmask and for its text."""
    is_text = value.type not in {"inet", "cidr"}
    host = value.compared if is_text else sql.SQL("pg_catalog.host({})").format(value.expression)
    address = _query("mask_ip", text=host, digest=text_digest("ip", host))
    if is_text:
        return _unless_empty(value, _cut(value, address))
    resized = sql.SQL("pg_catalog.set_masklen({}::inet, pg_catalog.masklen({}))").format(
        address, value.expression
    )
    return sql.SQL("CASE WHEN {} IS NOT NULL THEN {} END").format(
        value.expression,
        resized if value.type == "inet" else sql.SQL("pg_catalog.network({})").format(resized),
    )


def _uuid(_: MaskRule, value: Value) -> sql.Composable:
    """Return a random UUID, as RFC 9562 defines it (version 4)."""
    as_uuid = _query("mask_uuid", digest=text_digest("uuid", value.compared))
    return as_uuid if value.type == "uuid" else _unless_empty(value, _as_text(as_uuid))


def _json(rule: MaskRule, value: Value) -> sql.Composable:
    changed: sql.Composable = sql.SQL("({})::jsonb").format(value.expression)
    for path, within in rule.paths:
        changed = replaced_at(path, changed, partial(_json_scalar, within, value))
    return changed


def _json_scalar(rule: MaskRule, value: Value, at: sql.Composable) -> sql.Composable:
    """Return the SQL for what a value (jsonb) within JSON is replaced by.

    An object or an array is masked as the text that it is written as.
    """
    if rule.kind == "null":
        return sql.SQL("'null'::jsonb")
    if rule.kind == "fixed":
        return sql.SQL("{}::jsonb").format(sql.Literal(json.dumps(rule.options["value"])))
    text = sql.Identifier("staging_sync_scalar", "text")
    within = Value(text, "text", None, "0", value.collation, value.tag)
    changed = _as_json(masked(rule if rule.kind != "number" else MaskRule("hash"), within))
    if rule.kind == "number":
        number = Value(text, "numeric", None, "1e1000", value.collation, value.tag)
        changed = sql.SQL(
            "CASE WHEN pg_catalog.jsonb_typeof({}) = 'number' THEN pg_catalog.to_jsonb({})"
            " ELSE {} END"
        ).format(at, masked(rule, number), changed)
    return sql.SQL(
        "(SELECT {} FROM (SELECT {} #>> '{{}}' AS text OFFSET 0) staging_sync_scalar)"
    ).format(changed, at)


def _query(name: str, **parts: sql.Composable) -> sql.Composable:
    return sql.SQL(load_query("db_sync/mask", name)).format(**parts)


def _numeric(number: Decimal) -> sql.Composable:
    return sql.SQL("{}::numeric").format(sql.Literal(f"{number:f}"))


def _unless_empty(value: Value, expression: sql.Composable) -> sql.Composable:
    return sql.SQL("CASE WHEN {text} = '' THEN {text} ELSE {expression} END").format(
        text=value.text, expression=expression
    )


def _cut(value: Value, expression: sql.Composable) -> sql.Composable:
    """Return a text cut to the length that its column allows."""
    if value.most_characters is None:
        return expression
    return sql.SQL("pg_catalog.left({}, {})").format(expression, sql.Literal(value.most_characters))


def _random(digested: sql.Composable) -> sql.Composable:
    """Return the SQL for a number from 0 to 2^52 - 1 (bigint) out of a digest's first bits."""
    return sql.SQL("pg_catalog.int8(('x' || {})::bit(52))").format(hexadecimal(digested, 14))


def _array(texts: tuple[str, ...]) -> sql.Composable:
    return sql.SQL("{}::text[]").format(sql.Literal("{" + ",".join(texts) + "}"))


def _as_text(expression: sql.Composable) -> sql.Composable:
    return sql.SQL("({})::text").format(expression)


def _as_json(text: sql.Composable) -> sql.Composable:
    return sql.SQL("pg_catalog.to_jsonb(({})::text)").format(text)


MASKS: dict[str, Callable[[MaskRule, Value], sql.Composable]] = {
    "null": _null,
    "fixed": _fixed,
    "hash": _hash,
    "email": _email,
    "phone": _phone,
    "name": _name,
    "text": _text,
    "number": _number,
    "date": _date,
    "ip": _ip,
    "uuid": _uuid,
    "json": _json,
}
