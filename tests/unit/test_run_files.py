"""What a step leaves in the bucket is read back as it was."""

import json

from hypothesis import given
from hypothesis import strategies as st

from common.errors import SchemaMismatch
from common.reports.failure import Failure
from common.reports.notices import Notice, Topic, by_importance
from common.reports.remap import RemapCounts, RemapResult
from common.reports.sync import SyncResult, TableResult

TEXT = st.text(max_size=20)
COUNT = st.integers(0, 2**62)
SECONDS = st.floats(0, 1e6)
NOTICES = st.lists(
    st.builds(Notice, text=TEXT, topic=st.sampled_from(Topic), mend=TEXT), max_size=3
).map(tuple)
NAMED = st.dictionaries(TEXT, TEXT, max_size=3)
TABLES = st.lists(
    st.builds(
        TableResult,
        table=TEXT,
        action=st.sampled_from(["none", "merge", "copy"]),
        reason=TEXT,
        rows=COUNT,
        rows_updated=COUNT,
        seconds=st.dictionaries(TEXT, SECONDS, max_size=2),
    ),
    max_size=3,
).map(tuple)
SYNCS = st.builds(
    SyncResult,
    status=st.sampled_from(["synced", "unchanged", "dry_run"]),
    tables=TABLES,
    left_alone=NAMED,
    masked=NAMED,
    following=NAMED,
    sequences=st.lists(TEXT, max_size=2).map(tuple),
    notices=NOTICES,
    duration_seconds=SECONDS,
    snapshot=TEXT,
    started_at=TEXT,
    unmasked=NAMED,
)
REMAPS = st.builds(
    RemapResult,
    counts=st.builds(RemapCounts, *[COUNT] * 8),
    followers=st.dictionaries(TEXT, COUNT, max_size=2),
    notices=NOTICES,
    people=TEXT,
    started_at=TEXT,
)


@given(SYNCS)
def test_a_sync(result: SyncResult) -> None:
    assert SyncResult.parse(json.loads(json.dumps(result.report()))) == result


@given(REMAPS)
def test_a_remap(result: RemapResult) -> None:
    assert RemapResult.parse(json.loads(json.dumps(result.report()))) == result


def test_a_failure() -> None:
    failure = Failure.of(SchemaMismatch("They do not fit:", ["one", "two"]))

    assert failure == Failure("SchemaMismatch", "They do not fit:", ("one", "two"))
    assert Failure.parse(json.loads(json.dumps(failure.report()))) == failure


@given(st.one_of(SYNCS, REMAPS))
def test_what_did_not_fail_is_no_failure(result: SyncResult | RemapResult) -> None:
    assert Failure.parse(result.report()) is None


def test_the_statements_that_mend_follow_the_words_that_announce_them() -> None:
    told = Notice.advising("It may not read x. Run there: GRANT SELECT ON x TO y;", Topic.ROWS)
    hostile = Notice.advising("x Run there: DROP TABLE y; is closed. Run there: GRANT", Topic.ROWS)

    assert told.mend == "GRANT SELECT ON x TO y;"
    assert hostile.mend == ""
    assert Notice.advising("It may not read x.", Topic.ROWS).mend == ""


def test_the_most_important_notices_come_first_and_each_once() -> None:
    notices = [Notice(topic.value, topic) for topic in reversed(Topic)]

    assert [notice.topic for notice in by_importance([*notices, *notices])] == list(Topic)
