"""Draws a report's charts with pygal: SVG for an HTML page, without scripts.

Colours are names of the page's CSS variables, so one drawing fits the light, dark and paper styles.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from pagemill.control_room.report.models import MemoryPoint, Stretch

ROLES = ("python", "driver", "browser", "renderers", "gpu", "utility", "other")
"""In stacking order, from the bottom. Each role always has the same colour."""
_LABELS = 6


def roles_of(memory: Sequence[MemoryPoint]) -> list[str]:
    """The roles in `memory_chart`, from the bottom of the stack."""
    return [role for role in ROLES if any(point.pss_mb.get(role, 0.0) >= 0.5 for point in memory)]


def memory_chart(memory: Sequence[MemoryPoint]) -> str:
    """The memory of all workers over time, in MB, stacked by role."""
    roles = roles_of(memory)
    chart = _pygal().StackedLine(**_look([f"var(--role-{role})" for role in roles]), fill=True, show_dots=False)
    _label(chart, [point.at for point in memory])
    for role in roles:
        chart.add(role, [point.pss_mb.get(role, 0.0) for point in memory])
    return _svg(chart)


def throughput_chart(stretches: Sequence[Stretch]) -> str:
    """Products per minute over time."""
    chart = _pygal().Line(**_look(["var(--accent)"]), fill=True, show_dots=False)
    _label(chart, [stretch.at for stretch in stretches])
    chart.add("products per minute", [round(stretch.products * 60 / stretch.span_s, 2) for stretch in stretches])
    return _svg(chart)


def _pygal() -> Any:
    """pygal without a side effect of its import: it installs a finder of plug-in modules for the whole process, and
    Python 3.11 warns about that finder at every import that finds nothing."""
    import pygal  # type: ignore[import-untyped]
    import pygal.style  # type: ignore[import-untyped]

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
    return pygal


def _look(colours: Sequence[str]) -> dict[str, Any]:
    ink = "var(--quiet)"
    style = _pygal().style.Style(
        background="transparent",
        plot_background="transparent",
        foreground=ink,
        foreground_strong=ink,
        foreground_subtle="var(--line)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        colors=tuple(colours),
        font_family="inherit",
        label_font_size=12,
        major_label_font_size=12,
        opacity=".75",
        transition="0s",
    )
    return {
        "style": style,
        "js": [],
        "width": 960,
        "height": 280,
        "margin": 6,
        "include_x_axis": True,
        "show_legend": False,
        "show_x_guides": False,
        "truncate_label": -1,
        "disable_xml_declaration": True,
        "y_labels_major_count": 4,
        "show_minor_y_labels": False,
        "formatter": lambda value: f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
    }


def _label(chart: Any, moments: Sequence[datetime]) -> None:
    """Labels only some of the times, so that labels do not overlap."""
    long = bool(moments) and (moments[-1] - moments[0]).total_seconds() > 86400
    form = "%m-%d %H:%M" if long else "%H:%M"
    every = max(1, len(moments) // _LABELS)
    chart.x_labels = [moment.strftime(form) if number % every == 0 else "" for number, moment in enumerate(moments)]


def _svg(chart: Any) -> str:
    drawn: ElementTree.Element = chart.render_tree()
    # Without scripts: pygal writes tooltips and a settings script whatever its `js` option says.
    for parent in list(drawn.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag in ("script", "desc"):
                parent.remove(child)
    return ElementTree.tostring(drawn, encoding="unicode")
