"""Whether staging's first load in parts has begun and is not done: the next run goes on with it.

The target is not empty then, but it is in between, so that there is nothing to protect. The note is
in the exchange bucket, in the folder of an execution whose name none can have; it expires with the
other files.
"""

import json
from dataclasses import dataclass

from common.aws.exchange import Exchange
from common.postgres.connection.address import DatabaseAddress

FOLDER = "~first-load"  # an execution's name has no ~
FILE = "parts/unfinished.json"


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """The note about one target, in a bucket."""

    bucket: str
    target: DatabaseAddress

    def note(self, *, is_unfinished: bool) -> None:
        """Note that it has begun, or that it is done."""
        content = {"target": str(self.target), "is_unfinished": is_unfinished}
        Exchange.of(self.bucket, FOLDER).write_json(FILE, content)

    def is_unfinished(self) -> bool:
        """Return whether it has begun and is not done."""
        content = Exchange.of(self.bucket, FOLDER).read_if_there(FILE)
        found = json.loads(content) if content else {}
        return bool(found.get("is_unfinished")) and found.get("target") == str(self.target)
