"""Every permission of every role, as permissions.toml lists them, and their table."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("permissions.toml")
HEADER = ("role", "may", "on", "granted in", "needed by")


@dataclass(frozen=True, slots=True)
class Source:
    """A place in the code: a file, and text that it contains."""

    file: str
    text: str

    def __str__(self) -> str:
        return f"`{self.file}`: `{self.text}`"


@dataclass(frozen=True, slots=True)
class Permission:
    """What one role may do, and why; permissions.toml explains the fields."""

    role: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    granted_in: Source
    needed_by: tuple[Source, ...]
    service: str
    purpose: str
    where: str

    @property
    def cells(self) -> Sequence[str]:
        """The permission's row, without what separates its cells."""
        actions = " ".join(f"`{action}`" for action in self.actions)
        return (self.role, actions, "; ".join(self.resources), str(self.granted_in), self._reason())

    def _reason(self) -> str:
        """Return who uses it, for what, in which places, and with which settings."""
        service = f"*{self.service}*" if self.service else ""
        user = ", ".join(filter(None, (service, self.purpose)))
        use = ": ".join(filter(None, (user, "; ".join(map(str, self.needed_by)))))
        return f"{use}, where {self.where}" if self.where else use


def read_permissions() -> list[Permission]:
    """Return every permission of every role, sorted by role."""
    listed = tomllib.loads(LIST.read_text())
    permissions = [each for entry in listed["permission"] for each in _permissions_of(entry)]
    return sorted(permissions, key=lambda permission: listed["roles"].index(permission.role))


def _permissions_of(entry: Mapping[str, Any]) -> Iterator[Permission]:
    for role in entry["roles"]:
        yield Permission(
            role=role,
            actions=tuple(entry["actions"]),
            resources=tuple(entry["resources"]),
            granted_in=Source(*entry["granted_in"]),
            needed_by=tuple(Source(*source) for source in entry.get("needed_by", ())),
            service=entry.get("service", ""),
            purpose=entry.get("purpose", ""),
            where=entry.get("where", ""),
        )
