"""Reports in which everything that others may choose is hostile."""

from collections.abc import Sequence
from dataclasses import replace

from common.reports.failure import Failure
from common.reports.notices import Notice, Topic
from tests.support.sample_failures import failed_with
from tests.support.sample_reports import REMAP, SYNC, execution, good_night, previous, table
from write_report.model import Report

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "line\nbreak\ttab\rreturn",
    "right-to-left \u202egnp.elgae\u202c and \u200f mark",
    "\u2066isolate\u2069 \u200b zero \ufeff width",
    "x" * 63,
    "данные_" * 9,
    "😀👩‍👩‍👧 emoji",
    "שלום_עולם",
    "{{ 7 * 7 }} {% raw %}",
    "</style></script><!-- -->",
    "\x01\x1b[31m\x7f\x85\u2028\u2029",
    "\ud800 half",
)


def hostile(texts: Sequence[str] = HOSTILE) -> Report:
    """Return a report in which everything that others may choose is hostile."""
    every = "".join(texts)
    number = range(1, len(texts) + 1)
    tables = tuple(
        table(f"public.{text}", 100 * i, i, 2 * i, 0, compare=i / 10, **{text: 1.0})
        for i, text in zip(number, texts, strict=True)
    )
    same = tuple(table(f"same.{text}", 5, compare=0.1) for text in texts)
    named = {f"public.t.{text}": text for text in texts}
    notices = tuple(Notice(f"About {text}.", topic, text) for text in texts for topic in Topic)
    base = good_night()
    return replace(
        base,
        execution=execution(
            name=every, given=every, error=every, cause=every, console=f"javascript:{every}"
        ),
        sync=replace(
            SYNC, tables=tables + same, left_alone=named, masked=named, unmasked=named,
            following=named, sequences=tuple(texts), notices=notices, snapshot=every,
        ),
        remap=replace(
            REMAP, followers=dict.fromkeys(texts, 3), notices=notices, people=every
        ),
        previous=tuple(
            replace(each, execution=text, error=text, sync=text)
            for each, text in zip(previous(len(texts)), texts, strict=True)
        ),
        files={text: f"s3://bucket/{text}" for text in texts},
    )  # fmt: skip


def hostile_failure(texts: Sequence[str] = HOSTILE) -> Report:
    """Return a failure whose texts are hostile."""
    every = "".join(texts)
    return replace(
        hostile(texts),
        execution=failed_with(every, every, name=every, given=every),
        sync=Failure(every, every, tuple(texts)),
        remap=None,
        listing=None,
    )
