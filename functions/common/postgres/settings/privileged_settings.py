"""Settings that change what a transaction reads or writes, and that an ordinary role may not set.

So they are read, and set only if they have another value than we need.
"""

from typing import NamedTuple

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.queries import load_query


class Privileged(NamedTuple):
    """A setting, the value that it must have, and what is wrong with any other."""

    name: str
    value: str
    fault: str


class Found(NamedTuple):
    """A setting's current value and its source; with our role and database, quoted."""

    name: str
    value: str
    source: str
    role: str
    database: str


READING = (
    Privileged("zero_damaged_pages", "off", "a damaged page reads as if it had no rows"),
    Privileged("ignore_checksum_failure", "off", "damaged rows are read as if they were right"),
)
WRITING = (
    *READING,
    Privileged(
        "session_replication_role",
        "origin",
        "foreign keys are not checked and the application's triggers do not fire",
    ),
)
# The statement that removes a value, by pg_settings.source.
RESETS = {
    "user": "ALTER ROLE {role} RESET {name};",
    "database": "ALTER DATABASE {database} RESET {name};",
    "database user": "ALTER ROLE {role} IN DATABASE {database} RESET {name};",
    "global": "ALTER ROLE ALL RESET {name};",
}


def require_privileged(session: Session, settings: tuple[Privileged, ...]) -> None:
    """Make sure for the transaction that settings have the values that they must have.

    Raises:
        ConfigurationError: one has another value, and our role may not set it.
    """
    found = session.records(
        load_query("common/postgres/settings", "read_settings"),
        [[setting.name for setting in settings]],
        Found,
    )
    by_name = {each.name: each for each in found}
    faults = [
        _described(setting, by_name[setting.name])
        for setting in settings
        if by_name[setting.name].value != setting.value and not _set(session, setting)
    ]
    if faults:
        raise ConfigurationError(
            f"The {session.role} {session.address} has settings that our role may not change:"
            f" {' '.join(faults)} Nothing was written."
        )


def _set(session: Session, setting: Privileged) -> bool:
    """Set a setting for the transaction; return False if the role may not."""
    try:
        with session.savepoint():
            session.set_local(**{setting.name: setting.value})
    except ConfigurationError:
        return False
    return True


def _described(setting: Privileged, found: Found) -> str:
    """Return what is wrong, and how to correct it."""
    if reset := RESETS.get(found.source):
        statement = reset.format(name=setting.name, role=found.role, database=found.database)
        how = f"Run there, as a superuser: {statement}"
    else:
        how = f"Set it back where it was set ({found.source})."
    return f"with {setting.name} = {found.value}, {setting.fault}. {how}"
