"""Why a Lambda failed, as its file in the bucket says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from common.errors import StagingSyncError


@dataclass(frozen=True, slots=True)
class Failure:
    """An error by its class's name, with every reason: an execution's cause has room for some."""

    error: str
    message: str
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: StagingSyncError) -> Self:
        """Return what an error says."""
        return cls(type(error).__name__, error.message, error.reasons)

    def report(self) -> dict[str, Any]:
        """Return it as a JSON object, which `parse` reads."""
        return {"status": "failed", **asdict(self)}

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self | None:
        """Return the failure in a Lambda's report; None if it did not fail."""
        if found.get("status") != "failed":
            return None
        return cls(found["error"], found["message"], tuple(found["reasons"]))
