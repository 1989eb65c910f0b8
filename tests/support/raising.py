"""Functions of an application that raise an email address in every field that RAISE has."""

ADDRESS = "jane@example.com"
FIELDS = ("MESSAGE", "DETAIL", "HINT", "COLUMN", "TABLE", "SCHEMA", "DATATYPE", "CONSTRAINT")
WORDS = ", ".join(f"{field} = '{ADDRESS}'" for field in FIELDS)
# Each class has its own message otherwise: a value, a constraint, a right, a name, a damaged page.
STATES = ("P0001", "22001", "23505", "42P01", "XX001")

# The first is called with a value, and may be used in an index.
FUNCTIONS = f"""
CREATE FUNCTION refuse(value text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    IF value LIKE '{{pattern}}' THEN RAISE SQLSTATE '{{state}}' USING {WORDS}; END IF; RETURN true;
END $$;
CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE SQLSTATE '{{state}}' USING {WORDS}; END $$;
"""
PLACES = {
    "a check": "ALTER TABLE {table} ADD CHECK (refuse({column}))",
    "a domain": (
        "CREATE DOMAIN checked AS text CHECK (refuse(VALUE));"
        "ALTER TABLE {table} ALTER {column} TYPE checked"
    ),
    "an index": "CREATE INDEX ON {table} (refuse({column}))",
    "a generated column": (
        "ALTER TABLE {table} ADD made bool GENERATED ALWAYS AS (refuse({column})) STORED"
    ),
    "a trigger": (
        "CREATE TRIGGER refuse BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_row()"
    ),
}


def raising(place: str, state: str, table: str, column: str, pattern: str = "refused%") -> str:
    """Return the SQL that makes a function raise when a value like the pattern is written."""
    function = FUNCTIONS.format(state=state, pattern=pattern)
    return function + PLACES[place].format(table=table, column=column)
