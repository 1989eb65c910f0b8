"""The bookshop's two databases: production, and a staging that was copied from it some time ago."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2 import sql

from sandbox.bookshop.people import PEOPLE, Person
from sandbox.database import Database, Parameters
from sandbox.postgres import EmbeddedPostgres

BOOKSHOP = Path(__file__).parent
NAME = "bookshop"
ROLE = "staging_sync"

type Subs = Mapping[str, str | None]  # what users.cognito_sub holds, by the row's email


@dataclass(frozen=True, slots=True)
class Bookshop(Database):
    """One of the two databases, and the password of the role that staging-sync logs in with."""

    password: str = field(repr=False)

    @property
    def secret(self) -> dict[str, str | int]:
        """The content of its secret, in the shape of RDS's secrets."""
        return {
            "engine": "postgres",
            "host": str(self.server.socket_dir),
            "port": 5432,
            "username": ROLE,
            "password": self.password,
            "dbname": self.name,
        }

    def change(self, statements: str, parameters: Parameters = ()) -> None:
        """Run statements as the database's owner, in one transaction."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('role', pg_get_userbyid(datdba), true) FROM pg_database"
                " WHERE datname = current_database()"
            )
            cursor.execute(statements, parameters or None)
            connection.commit()


def create_production(server: EmbeddedPostgres) -> Bookshop:
    """Create production's empty database, which our role may only read."""
    password = _create_role(server)
    server.execute("postgres", f"CREATE DATABASE {NAME}")
    server.execute("postgres", f"GRANT pg_read_all_data TO {ROLE}")
    return Bookshop(server, NAME, password)


def create_staging(server: EmbeddedPostgres) -> Bookshop:
    """Create staging's empty database, marked as a target; our role owns it."""
    password = _create_role(server)
    server.execute("postgres", f"CREATE DATABASE {NAME} OWNER {ROLE}")
    staging = Bookshop(server, NAME, password)
    staging.mark()
    return staging


def fill_production(database: Bookshop, subs: Subs) -> None:
    """Fill production with its rows at the last copy, and then with what changed since."""
    _fill_as_copied(database, subs)
    for person in PEOPLE:
        if person.former_rows is not None and person.was_copied:
            _move_on(database, person, subs)
    database.change(_script("production_since.sql"))


def fill_staging(database: Bookshop, subs: Subs) -> None:
    """Fill staging with production's rows at the last copy, and then with what people changed."""
    _fill_as_copied(database, subs)
    for person in PEOPLE:
        if not person.was_copied:
            _insert(database, person, person.staging_rows, subs)
    database.change(_script("staging_since.sql"))


def _create_role(server: EmbeddedPostgres) -> str:
    """Create the role that staging-sync logs in with, and return its new password."""
    password = secrets.token_urlsafe(18)
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE password_users")
    with contextlib.closing(psycopg2.connect(server.url("postgres"))) as connection:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(sql.Identifier(ROLE), sql.Literal(password)))
        connection.commit()
    return password


def _fill_as_copied(database: Bookshop, subs: Subs) -> None:
    database.change(_script("schema.sql"))
    for person in PEOPLE:
        if person.was_copied:
            _insert(database, person, person.staging_rows, subs)
    database.change(_script("data.sql"))


def _move_on(database: Bookshop, person: Person, subs: Subs) -> None:
    """Change a person's rows in production from those that were copied to those of now."""
    match person.staging_rows, person.rows:
        case (), rows:
            _insert(database, person, rows, subs)
        case (old,), ():
            database.change(_script("forget_user.sql"), {"email": old})
        case (old,), (new,):
            change = "UPDATE users SET email = %(new)s WHERE email = %(old)s"
            database.change(change, {"old": old, "new": new})


def _insert(database: Bookshop, person: Person, emails: tuple[str, ...], subs: Subs) -> None:
    for email in emails:
        database.change(
            "INSERT INTO users (email, name, cognito_sub, joined_on)"
            " VALUES (%(email)s, %(name)s, %(sub)s, '2020-02-02')",
            {"email": email, "name": person.name, "sub": subs[email]},
        )


def _script(name: str) -> str:
    return (BOOKSHOP / name).read_text()
