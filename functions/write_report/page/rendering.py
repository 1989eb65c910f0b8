"""Renders the page: one HTML file that needs no other, with a policy that lets nothing else run."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from common.reports.notices import Topic
from common.reports.remap import RemapResult
from common.reports.sync import SyncResult
from write_report import words
from write_report.model import Report, Staging
from write_report.page import charts, text
from write_report.page.attention import Attention, Item, attention, item, notices
from write_report.page.banner import Banner, banner
from write_report.page.changes import Changes, changes
from write_report.page.history import History, history, kind_of
from write_report.page.people import People, people
from write_report.page.timing import Timing, timing
from write_report.verdict import judge, wanted_of

PAGE = "page.html.j2"
MOST_NAMES = 300  # of a list beside the tables


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows; None where the execution has nothing of it."""

    report: Report
    is_dry_run: bool
    is_written: bool  # whether what the sync says was certainly committed
    banner: Banner
    attention: Attention
    schema: tuple[Item, ...]
    timing: Timing
    history: History
    sync: SyncResult | None
    changes: Changes | None
    people: People | None


def render(report: Report) -> str:
    """Return the page as HTML that needs no other file."""
    verdict = judge(report)
    sync = report.sync if isinstance(report.sync, SyncResult) else None
    page = Page(
        report=report,
        is_dry_run=wanted_of(report).dry_run,
        is_written=verdict.staging is Staging.EQUAL,
        banner=banner(report, verdict),
        attention=attention(report, verdict),
        schema=tuple(item(notice) for notice in notices(report) if notice.topic is Topic.SCHEMA),
        timing=timing(report),
        history=history(report),
        sync=sync,
        changes=changes(sync) if sync else None,
        people=people(report.remap) if isinstance(report.remap, RemapResult) else None,
    )
    style, script = _asset("page.css"), _asset("page.js")
    return (
        _templates()
        .get_template(PAGE)
        .render(
            page=page,
            style=style,
            script=script,
            policy=(
                f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
                " base-uri 'none'; form-action 'none'"
            ),
        )
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("write_report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": text.shown,
        "name": text.name,
        "lines": text.lines,
        "plain": text.plain,
        "number": words.number,
        "decimal": words.decimal,
        "duration": words.duration,
        "moment": words.moment,
        "kind_of": kind_of,
        "version": version,
    }
    environment.globals |= {
        "counted": words.counted,
        "icon": charts.icon,
        "parsed": words.parsed,
        "most_names": MOST_NAMES,
    }
    return environment


def version(server_version: int) -> str:
    """Return a PostgreSQL's version as people write it: 160006 is 16.6."""
    return f"{server_version // 10_000}.{server_version % 10_000}"


@cache
def _asset(name: str) -> Markup:
    """Return a file that the page contains as it is."""
    content = (files("write_report.page") / "assets" / name).read_text("utf-8")
    return Markup(content)  # noqa: S704 # our own file


def _hash(content: str) -> str:
    """Return the source of an inline style or script in a Content-Security-Policy."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
