"""What our role may do with followers and their foreign keys, asked before anything is written."""

from collections.abc import Collection, Iterator

from psycopg2 import sql

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.foreign_keys import ForeignKey
from common.postgres.names import Name
from common.postgres.queries import load_query


def require_writable(target: Session, tables: Collection[Name]) -> None:
    """Refuse tables with followers that our role may not read, lock or update.

    Raises:
        ConfigurationError: names them, and the statement to run.
    """
    asked = [target.quoted(table.identifier) for table in sorted(tables)]
    query = load_query("update_db", "list_missing_rights")
    if missing := target.records(query, [asked], Name):
        role, names = _role(target), ", ".join(target.quoted(name.identifier) for name in missing)
        raise ConfigurationError(
            f"The target role {role} may not read and update {', '.join(map(str, missing))}, whose"
            " rows follow the users' subs. Run there: GRANT SELECT, UPDATE ON"
            f" {names} TO {_quoted(target, role)}; Nothing was written."
        )


def require_recreatable(target: Session, keys: Collection[ForeignKey]) -> None:
    """Refuse foreign keys that our role may not drop and create again.

    Raises:
        ConfigurationError: names their tables, and the statements to run.
    """
    role = _role(target) if keys else ""
    if faults := [fault for key in keys for fault in _faults(target, key, role)]:
        raise ConfigurationError(
            "Rows that refer to a user follow when the user's sub changes. For that a foreign key"
            f" is dropped and created again, which the target role {role} may not:"
            f" {' '.join(faults)} Nothing was written."
        )


def _faults(target: Session, key: ForeignKey, role: str) -> Iterator[str]:
    child, parent = (target.quoted(table.identifier) for table in (key.child, key.parent))
    owns_child, may_refer = target.row(
        load_query("update_db", "may_create_key"),
        {"child": child, "parent": parent, "columns": list(key.parent_columns)},
    )
    to = _quoted(target, role)
    if not owns_child:
        yield (
            f"it does not own {key.child}, which has {key.name}; run there: ALTER TABLE {child}"
            f" OWNER TO {to}; or grant it the role that owns the table."
        )
    if not may_refer:
        yield (
            f"it may not refer to {key.parent}, as {key.name} does; run there: GRANT REFERENCES ON"
            f" {parent} TO {to};"
        )


def _role(target: Session) -> str:
    (role,) = target.row("SELECT current_user")
    return str(role)


def _quoted(target: Session, name: str) -> str:
    return target.quoted(sql.Identifier(name))
