"""`python -m tests.bench.one_worker`: a sync in parts by a single worker.

The command has no option for that: with `--jobs 1` it syncs in one transaction. It takes the same
options as the benchmarks give that, and how many seconds a part should take; and prints the same
JSON.
"""

import argparse
import json
import sys

from common.postgres.connection.address import DatabaseAddress
from db_sync.parts.jobs import sync_in_parts
from db_sync.run import SyncOptions
from db_sync.tuning import Tuning


def main() -> int:
    """Sync, print the result and return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.one_worker", description=__doc__)
    parser.add_argument("--source", required=True, type=DatabaseAddress.of_url)
    parser.add_argument("--target", required=True, type=DatabaseAddress.of_url)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part-seconds", type=float, help="divide what takes longer than this")
    call = parser.parse_args()
    seconds = call.part_seconds
    tuning = Tuning(part_seconds=seconds, whole_seconds=seconds) if seconds else Tuning()
    options = SyncOptions("bench", tuning=tuning)
    result = sync_in_parts(call.source, call.target, options, jobs=1)
    sys.stdout.write(json.dumps(result.output()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
