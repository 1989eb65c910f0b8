"""The people of the sandbox: one for every case of matching rows with users of the pool.

Each has rows in production's `users` (copied to staging some time ago) and accounts in
staging's user pool. `outcome` is what a run must do for them.
"""

import enum
from dataclasses import dataclass

SHOP = "bookshop.example"


class Outcome(enum.Enum):
    """A person's state after staging is synced and its users are re-linked."""

    LINKED = "can log in and finds the row"
    NO_ACCOUNT = "has a row, but no account in staging's pool"
    NO_ROW = "has an account in staging's pool, but no row in production"
    AMBIGUOUS = "has several rows or equally good accounts, so that nothing is linked"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of staging's pool."""

    username: str
    email: str
    enabled: bool = True
    verified: bool | None = True  # None: the user has no email_verified
    confirmed: bool = True  # has chosen a password


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's rows in production and accounts in staging, the best account first."""

    name: str
    outcome: Outcome
    rows: tuple[str, ...]  # the emails of their rows, as production has them now
    accounts: tuple[Account, ...]
    former_rows: tuple[str, ...] | None = None  # as staging has them, if different
    never_logged_in: bool = False  # in production: the row has no sub

    @property
    def was_copied(self) -> bool:
        """Whether their rows come from production and were not created in staging."""
        return bool(self.rows) or self.name != TESTER

    @property
    def staging_rows(self) -> tuple[str, ...]:
        """The emails of their rows in staging before the first sync."""
        return self.rows if self.former_rows is None else self.former_rows


def normalized(email: str) -> str:
    """Return an email in the form that is compared: trimmed, in lower case."""
    return email.strip().lower()


def _email(name: str) -> str:
    return f"{name.lower()}@{SHOP}"


def _colleague(name: str) -> Person:
    """Return somebody with one row and one account."""
    account = Account(f"{name.lower()}.staging", _email(name))
    return Person(name, Outcome.LINKED, (_email(name),), (account,))


def _linked(name: str, *accounts: Account, row: str | None = None) -> Person:
    return Person(name, Outcome.LINKED, (row or _email(name),), accounts)


# A row with the sub of Liam's staging account, which somebody pasted into it while debugging.
SUB_HOLDER = f"liam.test@{SHOP}"
SUB_OWNER = "Liam"
# The only one with an account in staging's pool whose address is not the shop's.
CUSTOMER, CUSTOMERS_EMAIL = "Zoe", "zoe@mail.example"
# The only one whose row was created in staging, by logging in there.
TESTER = "Robot"

PEOPLE: tuple[Person, ...] = (
    *map(_colleague, ("Ada", "Boris", "Carla", "Daniel", "Esra", "Felix")),
    # Emails are compared trimmed and in lower case.
    _linked("Bruno", Account("bruno", _email("Bruno")), row=f" Bruno@{SHOP.title()} "),
    _linked("Chiara", Account("chiara", f"Chiara@{SHOP.upper()}")),
    # A username is not the sub, even if it looks like one.
    _linked("Dmitri", Account("google_107846519283746510293", _email("Dmitri"))),
    _linked("Elif", Account("entra_Zm9vYmFyYmF6", _email("Elif"))),
    _linked("Faisal", Account("0a1b2c3d-1111-4222-8333-444455556666", _email("Faisal"))),
    # Several accounts with one email: the best one wins.
    _linked(
        "Greta",
        Account("greta.new", _email("Greta")),
        Account("greta.old", _email("Greta"), enabled=False),
    ),
    _linked(
        "Hugo",
        Account("hugo", _email("Hugo")),
        Account("hugo.claims", _email("Hugo"), verified=False),
    ),
    _linked(
        "Ines",
        Account("ines", _email("Ines")),
        Account("ines.invited", _email("Ines"), confirmed=False),
    ),
    Person(
        "Jonas",
        Outcome.AMBIGUOUS,
        (_email("Jonas"),),
        (Account("jonas1", _email("Jonas")), Account("jonas2", _email("Jonas"))),
    ),
    # Several rows with one email.
    Person(
        "Keiko",
        Outcome.AMBIGUOUS,
        (_email("Keiko"), f"Keiko@{SHOP}"),
        (Account("keiko", _email("Keiko")),),
    ),
    _colleague(SUB_OWNER),
    Person("Liam's test", Outcome.NO_ACCOUNT, (SUB_HOLDER,), ()),
    # The email of these accounts is not verified.
    _linked("Mona", Account("mona", _email("Mona"), verified=None)),
    _linked("Noor", Account("noor", _email("Noor"), verified=False)),
    Person("Olga", Outcome.NO_ACCOUNT, (_email("Olga"),), ()),
    Person("Pavel", Outcome.NO_ACCOUNT, (_email("Pavel"),), ()),
    Person("Quinn", Outcome.NO_ACCOUNT, (_email("Quinn"),), ()),
    Person("Load test", Outcome.NO_ROW, (), (Account("load-test", f"load-test@{SHOP}"),)),
    Person(TESTER, Outcome.NO_ROW, (), (Account("robot", _email(TESTER)),), (_email(TESTER),)),
    # Production has changed since staging was last copied from it.
    Person(
        "Rosa",
        Outcome.LINKED,
        (_email("Rosa"),),
        (Account("rosa", _email("Rosa")),),
        former_rows=(),
    ),
    Person(
        "Tara",
        Outcome.NO_ROW,
        (),
        (Account("tara", _email("Tara")),),
        former_rows=(_email("Tara"),),
    ),
    Person(
        "Uma",
        Outcome.LINKED,
        (_email("Uma"),),
        (Account("uma", _email("Uma")),),
        former_rows=(f"uma.maiden@{SHOP}",),
    ),
    Person(
        "Viktor",
        Outcome.LINKED,
        (_email("Viktor"),),
        (Account("viktor", _email("Viktor")),),
        never_logged_in=True,
    ),
    *map(_colleague, ("Wendy", "Yara")),
    # A customer, who tests too; where masks are set, the address is masked in staging.
    _linked(CUSTOMER, Account("zoe", CUSTOMERS_EMAIL), row=CUSTOMERS_EMAIL),
)
