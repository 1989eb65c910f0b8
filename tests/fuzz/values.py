"""The types of columns, each with few values, so that rows and sides often have the same ones."""

from dataclasses import dataclass

# In a schema that is in no search path.
TYPES = """
CREATE SCHEMA types;
CREATE DOMAIN types.small AS int CHECK (VALUE > -100);
CREATE DOMAIN types.word AS text COLLATE "C" CHECK (VALUE <> 'forbidden');
CREATE DOMAIN types.words AS types.word[];
CREATE TYPE types.mood AS ENUM ('calm', 'angry', 'b');
CREATE TYPE types.pair AS (a int, b text)
"""
# Only if the server is built with ICU.
ICU_TYPES = """
CREATE COLLATION types.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN types.email AS text COLLATE types.nocase
"""


@dataclass(frozen=True, slots=True)
class Type:
    """A column's type.

    `literals` are SQL, as is `numbered`, which has a different value for each number `g`.
    `akin` are types with the same texts: for the other side, or a column that references it.
    """

    sql: str
    literals: tuple[str, ...]
    numbered: str
    akin: tuple[str, ...] = ()


NUMBERS = ("0", "1", "2", "3", "4", "5", "7", "-1", "12")
WORDS = ("'a'", "'A'", "'b'", "'ä'", "'a '", "''", "'é'", "U&'e\\0301'", r"E'\\N'", r"E't\tn\n'")
NUMERICS = ("0", "1", "1.0", "1.00", "2", "2.0", "'NaN'", "-1", "3")
UUIDS = tuple(f"'{digit * 8}-0000-0000-0000-000000000000'" for digit in "012af")
DATES = ("'2024-02-29'", "'2024-03-01'", "'infinity'", "'0044-03-15 BC'", "'1999-12-31'")

INT = Type("int", NUMBERS, "g", ("bigint", "types.small"))
TEXT = Type("text", WORDS, "'k' || g", ('text COLLATE "C"', "varchar", "types.word"))
# The types that a key can have.
KEYS = (
    INT,
    INT,
    Type("bigint", NUMBERS, "g", ("int", "types.small")),
    TEXT,
    Type('text COLLATE "C"', WORDS, "'k' || g", ("text", "types.word")),
    Type("varchar(12)", WORDS, "'k' || g", ("text", "varchar(20)", "types.word")),
    Type("numeric", NUMERICS, "g::numeric"),
    Type("uuid", UUIDS, "lpad(to_hex(g), 32, '0')::uuid"),
    Type("date", DATES, "date '2024-01-01' + g"),
    Type("types.small", NUMBERS, "g", ("int", "bigint")),
    Type("types.word", WORDS, "'k' || g", ("text",)),
)
ICU_KEYS = (
    Type("text COLLATE types.nocase", WORDS, "'k' || g", ("text", "types.email")),
    Type("types.email", WORDS, "'k' || g", ("text", "text COLLATE types.nocase")),
)
VALUES = (
    *KEYS,
    Type("boolean", ("true", "false"), "g % 2 = 0"),
    Type("float8", ("0", "'-0'", "'NaN'", "0.1", "1e300"), "g"),
    Type("char(4)", ("''", "'a'", "'a '", "'abc'"), "'c'", ("bpchar",)),
    Type("bytea", (r"'\x'", r"'\x00'", r"'\x5c'"), r"'\x01'::bytea"),
    Type("interval", ("'1 month'", "'30 days'", "'720 hours'"), "interval '1 day' * g"),
    Type("timestamptz", ("'infinity'", "'2020-01-01 00:00+00'"), "timestamptz 'epoch'"),
    Type("jsonb", ("'null'", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"), "to_jsonb(g)", ("json",)),
    Type("json", ("'{}'", "'{ }'", '\'{"a":1,"a":2}\''), "to_json(g)"),
    Type("int[]", ("'{}'", "'{1,NULL}'", "'[0:1]={1,2}'"), "ARRAY[g]", ("bigint[]",)),
    Type("text[]", ("'{}'", "'{a,NULL}'", "'{\"\"}'"), "ARRAY['k' || g]", ("types.words",)),
    Type("numrange", ("'empty'", "'[1,2)'", "'[1.0,2)'", "'(,)'"), "'[1,2)'"),
    Type("types.mood", ("'calm'", "'angry'", "'b'"), "'calm'::types.mood"),
    Type("types.pair", ("'(1,a)'", "'(,)'", "'(1,)'"), "ROW(g, 'p')::types.pair"),
    Type("types.words", ("'{}'", "'{a,b}'"), "ARRAY['k' || g]"),
)
