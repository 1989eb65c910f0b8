"""Collects what the page shows from the execution's folder in the bucket."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.aws.exchange import Exchange
from common.errors import StagingSyncError
from common.log import logger
from common.manifest import MANIFEST_NAME
from common.reports import remap, sync
from common.reports.failure import Failure
from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from write_report.model import Execution, Listing, Report, Summary

# Of a sync in parts. It has keys of rows, which may be emails, and is not read.
DIVISION = "parts/parts.json"


def collect(exchange: Exchange, execution: Execution, previous: tuple[Summary, ...]) -> Report:
    """Return what there is to know of an execution.

    A file that is missing or cannot be read is left out: the page is needed most of all where
    something went wrong.
    """
    folder = _Folder(exchange)
    synced = folder.read(sync.REPORT, _sync)
    remapped = folder.read(remap.REPORT, _remap)
    listing = folder.read(MANIFEST_NAME, _listing)
    if isinstance(remapped, RemapResult):
        folder.files[remap.PEOPLE] = remapped.people
    return Report(
        execution,
        synced,
        remapped,
        listing,
        is_divided=exchange.has(DIVISION),
        unreadable=tuple(folder.unreadable),
        previous=previous,
        files=folder.files,
    )


@dataclass(slots=True)
class _Folder:
    """The execution's folder; notes which files are there, and which cannot be read."""

    exchange: Exchange
    files: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def read[T](self, name: str, parse: Callable[[Mapping[str, Any]], T]) -> T | None:
        """Return a JSON file's content; None if it is missing or cannot be read."""
        try:
            content = self.exchange.read_if_there(name)
            if content is None:
                return None
            self.files[name] = self.exchange.uri(name)
            return parse(json.loads(content))
        except (StagingSyncError, ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("file not read", file=name, error=type(error).__name__)
            self.unreadable.append(name)
            return None


def _sync(found: Mapping[str, Any]) -> SyncResult | Failure:
    return Failure.parse(found) or SyncResult.parse(found)


def _remap(found: Mapping[str, Any]) -> RemapResult | Failure:
    return Failure.parse(found) or RemapResult.parse(found)


def _listing(found: Mapping[str, Any]) -> Listing:
    return Listing(int(found["users"]), found["complete"] is True)
