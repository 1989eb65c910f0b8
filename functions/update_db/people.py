"""Which rows of the users table are people: all, or those that satisfy a condition."""

from psycopg2 import sql

from common.errors import ConfigurationError, DatabaseUnavailable, OutOfTime, StagingSyncError
from common.postgres.database import Session
from common.postgres.names import Name
from common.postgres.settings.function_names import default_search_path


def require_condition(target: Session, users: Name, where: str) -> None:
    """Check that a condition is one boolean expression over the users table, and only reads.

    It must be valid both alone and in parentheses, in two statements: so it can end neither the
    statement nor the parentheses. Both run read-only, and are rolled back.

    Raises:
        ConfigurationError: it is not such an expression.
    """
    if ";" in where:
        raise _refused("it holds a semicolon")
    text = sql.SQL(where)
    try:
        with target.savepoint(force_rollback=True):
            target.execute("SET TRANSACTION READ ONLY")
            with default_search_path(target):
                target.rows(
                    sql.SQL("EXPLAIN SELECT FROM {} AS {} WHERE {}\n").format(
                        users.identifier, sql.Identifier(users.name), text
                    )
                )
                target.rows(
                    sql.SQL("SELECT count(*) FROM {} AS {} WHERE ({}\n)").format(
                        users.identifier, sql.Identifier(users.name), text
                    )
                )
    except (DatabaseUnavailable, OutOfTime):
        raise
    except StagingSyncError as error:
        raise _refused(str(error).rstrip(".")) from error


def is_person(users: Name, where: str) -> sql.Composable:
    """Return the SQL condition that row `u` is a person; `where` names columns of that row only."""
    if not where:
        return sql.SQL("true")
    return sql.SQL("EXISTS (SELECT FROM (SELECT u.*) AS {} WHERE ({}\n))").format(
        sql.Identifier(users.name), sql.SQL(where)
    )


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(
        "users_where (USERS_WHERE) must be one boolean expression over the users table, which only"
        f" reads, like deleted_at IS NULL: {why}. Correct it in cdk.json and deploy. Nothing was"
        " written."
    )
