"""Which columns look personal, by their names and types, and what to do about them by default."""

import re

from db_sync.mask.kinds import MaskRule

# Parts of a name, between underscores or capital letters. The first that fits tells the kind.
NAMES: tuple[tuple[str, str], ...] = (
    (r"(e_?)?mails?(_?addr(ess(es)?)?)?", "email"),
    (r"(cell_?)?phones?(_?(no|nr|number))?|mobile|cell|fax|telephone|tel|msisdn|whatsapp", "phone"),
    (r"ip|ip_?addr(ess)?|remote_?addr|inet", "ip"),
    (r"(first|last|full|middle|given|family|sur|maiden|nick|display|user|login)_?names?", "name"),
    (r"(ship|bill|billing|shipping|contact|customer|recipient|sender|holder)_?names?", "name"),
    (r"(date_?of_?)?birth|born|dob|birthday|birthdate|birthplace|deceased|death", "date"),
    (
        r"ssn|sin|nin|tin|(tax|vat)_?(id|no|number)|national_?id|passport|licen[cs]e|id_?card",
        "hash",
    ),
    (
        r"iban|bic|swift|account_?(no|number)|(credit_?|debit_?)?card_?(no|number)?|pan|cvv|cvc"
        r"|routing",
        "hash",
    ),
    (r"tokens?|secrets?|passwords?|passwd|pwd|password_?hash|salt|otp|totp|mfa|pin", "hash"),
    (
        r"api_?keys?|access_?keys?|private_?keys?|credentials?|cookies?|session_?(id|key)|jwt",
        "hash",
    ),
    (r"device_?id|imei|mac_?addr(ess)?|user_?agent|fingerprint", "hash"),
    (r"address(es)?|addr|streets?|postal|post_?code|zip|zip_?code|city|town|house", "text"),
    (r"geo|lat|latitude|lon|lng|longitude|location|coordinates?|gps", "number"),
    (
        r"gender|sex|religion|ethnicity|nationality|race|orientation|marital|diagnosis|health",
        "text",
    ),
    (r"salary|income|wages?", "number"),
    (r"signature|avatar|photo|portrait|bio|biography", "text"),
)
# Such a column says how many there are.
COUNT = re.compile(r"(^|_)counts?$")
# Types that often hold what people wrote, or a copy of other columns. In a table with masks, a
# column of such a type is suspected whatever its name.
FREE_TYPES = frozenset(
    {
        "text",
        "character varying",
        "character",
        "bpchar",
        "citext",
        "json",
        "jsonb",
        "xml",
        "hstore",
        "inet",
        "cidr",
        "bytea",
        "tsvector",
    }
)
# A column is masked by the first of these that fits its type, where its name tells nothing.
DEFAULTS = ("text", "hash", "ip", "uuid", "date", "number", "null")
# Values that nobody is known by, of types whose columns can be masked by a constant only.
EMPTY = {"json": {}, "jsonb": {}, "xml": "<masked/>", "hstore": "", "tsvector": ""}
EMPTY_ARRAY = "{}"


def kind_by_name(column: str) -> str | None:
    """Return the kind of mask that a column's name suggests; None if it does not look personal."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()
    if COUNT.search(snake):
        return None
    for pattern, kind in NAMES:
        if re.search(rf"(?:^|[^a-z])(?:{pattern})(?:$|[^a-z])", snake):
            return kind
    return None


def default_rules(column: str, type_: str, *, is_unique: bool) -> list[MaskRule]:
    """Return masks for a column that nobody wrote a rule for, the best first.

    Args:
        column: its name.
        type_: its type without domains and length.
        is_unique: whether its values must stay unique.
    """
    by_name = kind_by_name(column)
    kinds = ["hash", "uuid"] if is_unique else [*([by_name] if by_name else []), *DEFAULTS]
    if is_unique and by_name == "email":
        kinds.insert(0, "email")
    rules = [MaskRule(kind) for kind in kinds]
    if type_.endswith("[]"):
        return [*rules, MaskRule("fixed", {"value": EMPTY_ARRAY})]
    if type_ in EMPTY:
        return [MaskRule("null"), MaskRule("fixed", {"value": EMPTY[type_]})]
    return rules
