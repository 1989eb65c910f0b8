"""Renders the page."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from write_report.model import Report

PAGE = "page.html.j2"


def render(report: Report) -> str:
    """Return the page as HTML that needs no other file."""
    templates = Environment(
        loader=PackageLoader("write_report", "page"), autoescape=True, undefined=StrictUndefined
    )
    return templates.get_template(PAGE).render(report=report)
