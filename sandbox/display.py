"""What the demo shows of people who log in."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from sandbox.board import table
from sandbox.logins import Found, Login

STYLES = {Found.OWN_ROW: "green", Found.NO_ROW: "red", Found.ANOTHERS_ROW: "bold red"}


def login_table(logins: Iterable[Login]) -> Table:
    """Return who logs in as what, and what they find."""
    return table(
        ("who", "logs in as", "and", "orders "),
        (
            (
                login.person.name,
                login.account.username,
                Text(login.found.value, style=STYLES[login.found]),
                str(login.orders) if login.found is Found.OWN_ROW else "",
            )
            for login in logins
        ),
    )
