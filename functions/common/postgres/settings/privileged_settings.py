"""Settings that change what a transaction reads or writes, and that a plain role may not set.

So they are looked at, and set only where they are not as they should be.
"""

from typing import NamedTuple

from common.errors import ConfigurationError
from common.postgres.database import Session
from common.postgres.queries import load_query


class Privileged(NamedTuple):
    """A setting, the value that it must have, and what goes wrong with another."""

    name: str
    value: str
    fault: str


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
# How a value is taken away, by pg_settings.source.
RESETS = {
    "user": "ALTER ROLE {role} RESET {name};",
    "database": "ALTER DATABASE {database} RESET {name};",
    "database user": "ALTER ROLE {role} IN DATABASE {database} RESET {name};",
    "global": "ALTER ROLE ALL RESET {name};",
}


def require_privileged(session: Session, settings: tuple[Privileged, ...]) -> None:
    """See that settings are as they must be, for the transaction; set them where the role may.

    Raises:
        ConfigurationError: one of them is not, and the role may not set it.
    """
    rows = session.rows(
        load_query("common/postgres/settings", "read_settings"),
        [[setting.name for setting in settings]],
    )
    found = {name: rest for name, *rest in rows}
    faults = [
        _told(setting, *found[setting.name])
        for setting in settings
        if found[setting.name][0] != setting.value and not _set(session, setting)
    ]
    if faults:
        raise ConfigurationError(
            f"The {session.role} {session.address} brings settings along that our role may not"
            f" change: {' '.join(faults)} Nothing was written."
        )


def _set(session: Session, setting: Privileged) -> bool:
    """Set a setting for the transaction; return False where the role may not."""
    try:
        with session.savepoint():
            session.set_local(**{setting.name: setting.value})
    except ConfigurationError:
        return False
    return True


def _told(setting: Privileged, value: str, source: str, role: str, database: str) -> str:
    """Say what is wrong, and how to mend it; role and database come quoted."""
    if reset := RESETS.get(source):
        statement = reset.format(name=setting.name, role=role, database=database)
        how = f"Run there, as a superuser: {statement}"
    else:
        how = f"Set it back where it was set ({source})."
    return f"with {setting.name} = {value}, {setting.fault}. {how}"
