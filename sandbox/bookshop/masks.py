"""What the bookshop masks, and what tells an original value from a masked one."""

import re
from collections.abc import Iterator

from sandbox.bookshop.followers import FOLLOW
from sandbox.bookshop.people import CUSTOMER, SHOP
from sandbox.database import Database

# `sync_rules` of cdk.json: the team's own addresses stay.
SYNC_RULES = {
    "follow": FOLLOW,
    "mask": {
        "public.users.email": {"with": "email", "keep_domains": [SHOP]},
        "public.users.name": "name",
        "public.users.phone": "phone",
        "public.reviews.body": "text",
    },
    "unreviewed": "fail",
}
MASKED = frozenset({("users", "email"), ("users", "name"), ("users", "phone"), ("reviews", "body")})
MASKED_EMAIL = re.compile(r"[0-9a-f]{24}(-[0-9a-f]{8})?@m[0-9a-f]{4}\.invalid")
# Every value of a customer's has one of these, and no mask makes one. The team's addresses stay,
# and their names are in them.
SIGNS = re.compile(rf"@mail\.example|[Cc]ustomer \d|\+1 555 [78]0|\b{CUSTOMER}\b")
CUSTOMERS_VALUES = """
SELECT value
FROM users, unnest(ARRAY[email, name, phone]) AS value
WHERE value IS NOT NULL AND btrim(email) NOT ILIKE %(of_team)s
UNION
SELECT body FROM reviews WHERE body IS NOT NULL
"""


def is_masked(email: str) -> bool:
    """Return whether an address is a masked one."""
    return MASKED_EMAIL.fullmatch(email) is not None


def customers_values(production: Database) -> list[str]:
    """Return all values of customers that no masked database may hold."""
    rows = production.rows(CUSTOMERS_VALUES, {"of_team": f"%@{SHOP}"})
    return [value for (value,) in rows]


def signs_of_originals(text: str) -> Iterator[str]:
    """Yield what a text has of customers' original values."""
    for found in SIGNS.finditer(text):
        yield found[0]
