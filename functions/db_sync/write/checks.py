"""CHECK constraints of the target that must not be checked while rows are written.

One that is NOT VALID would reject rows that production accepts. One whose function reads a table
would see that table half written. Both kinds are dropped, and created again unchanged when all rows
are written; those that were valid are validated then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from psycopg2 import sql

from common.errors import StagingSyncError
from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.queries import load_query
from common.postgres.settings.function_names import (
    catalog_records,
    names_for_writing,
    only_our_names,
)
from common.postgres.settings.replication_role import define
from db_sync.plan.tables import TablePlan
from db_sync.run import Run


class Check(NamedTuple):
    """A CHECK constraint; see list_checks.sql.

    `definition` always ends in NOT VALID. A constraint that is not local is inherited: it is
    dropped and created together with its parent's. `is_to_be_validated`: whether it was valid in
    its own right.
    """

    kind: str  # TABLE or DOMAIN
    schema: str
    name: str
    constraint_name: str
    is_local: bool
    definition: str
    is_to_be_validated: bool
    comment: str | None
    depth: int

    @property
    def on(self) -> Name:
        """The table or the domain that it is on."""
        return Name(self.schema, self.name)


class Checks:
    """The CHECK constraints that must not be checked while some tables are written."""

    def __init__(self, run: Run, plans: list[TablePlan]) -> None:
        """Find them, and drop those of domains at once.

        A domain's constraint is also checked when rows are staged in temporary tables.
        """
        tables = [plan.target.oid for plan in plans]
        query = load_query("db_sync/write", "list_checks")
        self._paths = {plan.name: plan.target.function_path for plan in plans}
        self._run = run
        # Parents come before their children.
        self._found = catalog_records(run.target, query, {"tables": tables}, Check)
        self._of_domains = [check for check in self._found if check.kind == "DOMAIN"]
        self._of_tables = [check for check in self._found if check.kind == "TABLE"]
        self._drop(self._of_domains)
        if self._of_domains:
            # The last statement leaves cache invalidations pending for the next command that
            # writes, and PostgreSQL rejects a SAVEPOINT until then (XX000).
            define(run.target, "CREATE TEMPORARY TABLE staging_sync_word () ON COMMIT DROP")

    @property
    def tables(self) -> set[Name]:
        """The tables that they are on; dropping one takes a lock that conflicts with readers."""
        return {check.on for check in self._of_tables}

    @property
    def domains(self) -> set[Name]:
        """The domains that they are on."""
        return {check.on for check in self._of_domains}

    @contextmanager
    def dropped_meanwhile(self) -> Iterator[None]:
        """Drop those of tables, and create all of them again after the with statement.

        Nothing is created again if the body fails: the transaction is rolled back then.

        Raises:
            SchemaMismatch: a row breaks one that was valid.
        """
        self._drop(self._of_tables)
        yield
        target = self._run.target
        # Children first: where a child has its own, the parent's merges into it.
        with only_our_names(target):
            for check in reversed(self._found):
                if check.is_local:
                    _alter(target, check, "ADD CONSTRAINT", check.definition)
        for check in self._found:
            if check.comment is not None:
                _comment(target, check)
        for check in self._found:
            if check.is_to_be_validated:
                name = check.constraint_name
                self._run.limit(f"the constraint {name} of {check.on} was validated")
                _validate(target, check, self._paths.get(check.on, ""))

    def _drop(self, checks: list[Check]) -> None:
        for check in checks:
            if check.is_local:
                _alter(self._run.target, check, "DROP CONSTRAINT")


def _alter(target: Session, check: Check, action: str, definition: str = "") -> None:
    define(
        target,
        sql.SQL("ALTER {} {} {} {} {}").format(
            sql.SQL(check.kind),
            check.on.identifier,
            sql.SQL(action),
            sql.Identifier(check.constraint_name),
            sql.SQL(definition),
        ),
    )


def _comment(target: Session, check: Check) -> None:
    define(
        target,
        sql.SQL("COMMENT ON CONSTRAINT {} ON {}{} IS {}").format(
            sql.Identifier(check.constraint_name),
            sql.SQL("DOMAIN " if check.kind == "DOMAIN" else ""),
            check.on.identifier,
            sql.Literal(check.comment),
        ),
    )


def _validate(target: Session, check: Check, path: str) -> None:
    """Validate it for all rows; its function finds names as in the application's sessions."""
    try:
        with names_for_writing(target, path):
            _alter(target, check, "VALIDATE CONSTRAINT")
    except StagingSyncError as error:
        raise error.adding(
            f"With all rows written, the constraint {check.constraint_name} of {check.on} was"
            " validated."
        ) from error
