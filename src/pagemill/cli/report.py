"""`pagemill report`."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pagemill import visible
from pagemill.alerting.history import KEPT, recent_alerts
from pagemill.app.parts import DATA_FOLDER, result_store
from pagemill.broker.connection import open_redis
from pagemill.cli.options import load, needs_extra
from pagemill.config.mistakes import Mistake
from pagemill.config.schedule import check_zone
from pagemill.control_room.report.summary import Report, summary
from pagemill.errors import UsageError
from pagemill.fleet.view import FleetView


class ReportFormat(StrEnum):
    """Formats of a report."""

    JSON = "json"
    HTML = "html"


def report(
    run: Annotated[str, typer.Option("--run", help="A run's id. Default: the latest run.")] = "",
    day: Annotated[str, typer.Option("--day", help="A day, as 2026-11-21, in place of a run.")] = "",
    time_zone: Annotated[
        str,
        typer.Option(
            "--time-zone", help="Whose day, such as Asia/Seoul. Default: that of the schedule's entries, or UTC."
        ),
    ] = "",
    form: Annotated[ReportFormat, typer.Option("--format", help="HTML is one file with charts.")] = ReportFormat.JSON,
    output: Annotated[Path | None, typer.Option("--output", help="A file. Default: standard output.")] = None,
) -> None:
    """Sum up a run or a day: verdicts, times, retries, differences, memory, rotations, alerts."""
    chosen_day = day_of(day) if day else None
    if run and day:
        raise UsageError("--run and --day exclude each other: a report is of a run or of a day")
    zone = zone_named(time_zone) if time_zone else ""
    config = load("WARNING")
    with (
        open_redis(config.environment.redis_url, DATA_FOLDER) as redis,
        result_store(config) as store,
    ):
        chosen = run if run or day else store.latest_run()
        if chosen is None:
            typer.echo("no run yet: this is the report of the last 24 hours", err=True)
        view = FleetView(redis, sorted(config.platforms))
        zone = zone or config.schedule.time_zone
        made = summary(view, store, run=chosen or "", day=chosen_day, time_zone=zone, alerts=recent_alerts(redis, KEPT))
    _write(made, form, output)


def day_of(text: str) -> date:
    """The day in a text such as 2026-11-21.

    Raises:
        UsageError: it is not a day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--day {text[:40]!r} is no day: write it as 2026-11-21") from None


def zone_named(text: str) -> str:
    """The name of a time zone.

    Raises:
        UsageError: there is no time zone of that name.
    """
    try:
        return check_zone(text)
    except Mistake as mistake:
        raise UsageError(f"--time-zone: {mistake}") from None


def _write(made: Report, form: ReportFormat, output: Path | None) -> None:
    if form is ReportFormat.HTML:
        from pagemill.control_room.report.page import report_page

        with needs_extra("api"):
            text = visible.lines(report_page(made))
    else:
        text = visible.in_file(made.model_dump_json(indent=2)) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
