"""A report as one HTML file without scripts or other files; it has light, dark and paper styles.

`page.html` is its template. Jinja escapes all text from results and logs there. Drawings are inserted as they are,
because pygal has escaped their text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from pagemill.control_room.report.models import Report

if TYPE_CHECKING:
    from jinja2 import Template

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The content security policy that the page needs."""


def report_page(report: Report) -> str:
    """The HTML of the page."""
    from pagemill.control_room.report.charts import memory_chart, roles_of, throughput_chart

    results, fleet = report.results, report.fleet
    return _template().render(
        report=report,
        results=results,
        fleet=fleet,
        memory_chart=memory_chart(fleet.memory) if len(fleet.memory) > 1 else "",
        throughput_chart=throughput_chart(results.throughput) if len(results.throughput) > 1 else "",
        roles=roles_of(fleet.memory),
        shares=_shares(results.verdicts),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pagemill.control_room", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    return environment.get_template("page.html")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _shares(verdicts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Verdict, count and percentage of each."""
    total = sum(verdicts.values())
    return [(name, count, 100 * count / total if total else 0.0) for name, count in verdicts.items()]
