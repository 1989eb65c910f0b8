"""What the command prints of a sync, for a person."""

import pytest

from common.reports.notices import Notice, Topic
from common.reports.sync import SyncResult
from db_sync.terminal import print_result

NOTICES = (
    Notice("Column public.t.old exists in the source only.", Topic.SCHEMA),
    Notice("They may not write. Run there: GRANT x;", Topic.REFUSED, "GRANT x;"),
    Notice("Columns look personal.", Topic.PERSONAL_DATA, '{"mask": {"public.t.born": "date"}}'),
)


def test_warnings_come_the_most_important_first_with_the_line_that_mends_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = SyncResult(
        status="dry_run",
        verified=False,
        tables=(),
        left_alone={},
        masked={},
        following={},
        sequences=(),
        notices=NOTICES,
        duration_seconds=1.0,
        snapshot="2026-11-27T03:00:01+00:00",
        source_version=160014,
        target_version=160014,
    )

    print_result(result)

    printed = capsys.readouterr().out.splitlines()
    first = printed.index("warning: Columns look personal.")
    assert printed[first : first + 4] == [
        "warning: Columns look personal.",
        '  {"mask": {"public.t.born": "date"}}',
        "warning: They may not write. Run there: GRANT x;",
        "warning: Column public.t.old exists in the source only.",
    ]
