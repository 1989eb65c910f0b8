"""The runs before this one: each page has the figures of its run in the object's metadata."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from common.aws.clients import aws_errors
from common.aws.exchange import Exchange
from write_report.model import Summary

PAGE = "report.html"
LATEST = f"latest/{PAGE}"
SUMMARY = "summary"  # the name of the metadata
FOLDER = "executions/"
KEPT = 60  # runs that the page may show
# Requests for metadata: more than the runs of a month, one each hour. Execution names are in no
# order, so that of more runs than that any may be left out.
MOST_REQUESTS = 1000
THREADS = 8


def read_history(exchange: Exchange) -> tuple[Summary, ...]:
    """Return the last runs whose pages the bucket still has, the oldest first, without this one.

    Raises:
        ConfigurationError, StagingSyncError: the bucket cannot be listed; see `aws_errors`.
    """
    names = [name for name in _executions(exchange) if name != exchange.execution][:MOST_REQUESTS]
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda name: _summary(exchange, f"{FOLDER}{name}/{PAGE}"), names)
        runs = [run for run in found if run]
    return tuple(sorted(runs, key=lambda run: run.ended_at)[-KEPT:])


def metadata_of(summary: Summary) -> dict[str, str]:
    """Return the metadata with which a page is stored; JSON that is ASCII only."""
    return {SUMMARY: json.dumps(summary.as_json())}


def _executions(exchange: Exchange) -> Iterator[str]:
    """Yield the names of the executions that have files in the bucket."""
    pages = exchange.client.get_paginator("list_objects_v2")
    with aws_errors(f"list s3://{exchange.bucket}/{FOLDER}"):
        for page in pages.paginate(Bucket=exchange.bucket, Prefix=FOLDER, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(FOLDER).removesuffix("/")


def _summary(exchange: Exchange, key: str) -> Summary | None:
    """Return a run's figures; None if it has no page, or one of another version."""
    try:
        found = exchange.client.head_object(Bucket=exchange.bucket, Key=key)
        return Summary.parse(json.loads(found["Metadata"][SUMMARY]))
    except (BotoCoreError, ClientError, LookupError, TypeError, ValueError):
        return None
