"""Builds the report of a run or a day from the results database and the workers' history, events and alerts.

Only reads. Takes as long as reading the results, that is, some seconds for a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pagemill.alerting.alert import Alert
from pagemill.control_room.report.advice import report_advice
from pagemill.control_room.report.figures import result_figures_of
from pagemill.control_room.report.fleet import fleet_figures
from pagemill.control_room.report.models import DayReport, FleetFigures, Report, RunLine, RunReport
from pagemill.errors import UsageError
from pagemill.fleet.view import FleetView
from pagemill.model import ResultOutline
from pagemill.results.runs import RunProgress, RunSummary
from pagemill.results.store import ResultStore

__all__ = ["DayReport", "Report", "ReportSummary", "RunReport", "summary"]

ReportSummary = Report

_DAY = timedelta(days=1)
_HISTORY_REACHES = timedelta(days=8)
_MOST_EVENTS = 5000
_MOST_RUNS = 100
_MOST_RESULTS_OF_DAY = 100_000
_FIRST_DAY = date(2000, 1, 1)


def summary(
    view: FleetView,
    store: ResultStore,
    *,
    run: str = "",
    day: date | None = None,
    time_zone: str = "UTC",
    alerts: Sequence[Alert] = (),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """The report of a run, of a day, or of the last 24 hours if neither is given.

    Args:
        view: the fleet.
        store: open.
        run: the run's id.
        day: a day; not together with `run`.
        time_zone: the name of the day's time zone.
        alerts: newest first, see `recent_alerts`.
        now: the time of day, with its zone.

    Raises:
        UsageError: there is no such run, the day is in the future, or both were given.
        RedisUnavailable: Redis does not answer.
        DatabaseUnavailable: the database does not answer.
    """
    if run and day is not None:
        raise UsageError("a report is of a run or of a day: leave one of them out")
    moment = now()
    return _of_run(view, store, run, alerts, moment) if run else _of_day(view, store, day, time_zone, alerts, moment)


def _of_run(view: FleetView, store: ResultStore, run: str, alerts: Sequence[Alert], now: datetime) -> RunReport:
    progress = store.progress(run)
    results = result_figures_of(store.outlines(run))
    known = next((each for each in store.runs(_MOST_RUNS) if each.run == run), None)
    # A run that is not among the newest has no known creation time here, so its first visit counts as its begin.
    begin = known.created_at if known else results.begins_at or now
    end = results.ends_at if progress.finished and results.ends_at else now
    fleet = _fleet(view, alerts, begin, end, now)
    line = _run_line(known, progress, begin)
    return RunReport(
        title=f"Run {run}",
        made_at=now,
        begins_at=begin,
        ends_at=end,
        run=line,
        results=results,
        fleet=fleet,
        recommendations=report_advice(results, fleet, [line]),
    )


def _of_day(
    view: FleetView, store: ResultStore, day: date | None, time_zone: str, alerts: Sequence[Alert], now: datetime
) -> DayReport:
    begin, end = (now - _DAY, now) if day is None else _span_of(day, time_zone, now)
    runs = [each for each in store.runs(_MOST_RUNS) if begin - _DAY <= each.created_at < end]
    results = result_figures_of(_read(store, runs), begin, end, _MOST_RESULTS_OF_DAY)
    fleet = _fleet(view, alerts, begin, end, now)
    lines = [_run_line(each, store.progress(each.run), each.created_at) for each in runs if each.created_at >= begin]
    return DayReport(
        title="The last 24 hours" if day is None else f"{day:%Y-%m-%d} ({time_zone})",
        made_at=now,
        begins_at=begin,
        ends_at=end,
        runs=tuple(lines),
        results=results,
        fleet=fleet,
        recommendations=report_advice(results, fleet, lines),
    )


def _span_of(day: date, time_zone: str, now: datetime) -> tuple[datetime, datetime]:
    """From midnight to midnight in that time zone, or until now. With daylight saving, not always 24 hours."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    if day > today:
        raise UsageError(f"{day} has not come yet: ask for today in {time_zone}, {today:%Y-%m-%d}, or before")
    if day < _FIRST_DAY:
        raise UsageError(f"{day} is too long ago: ask for a day from {_FIRST_DAY:%Y-%m-%d} on")
    midnight, next_midnight = (datetime.combine(each, time(), zone) for each in (day, day + _DAY))
    return midnight.astimezone(UTC), min(next_midnight.astimezone(UTC), now)


def _read(store: ResultStore, runs: Sequence[RunSummary]) -> Iterator[ResultOutline]:
    for run in runs:
        yield from store.outlines(run.run)


def _fleet(view: FleetView, alerts: Sequence[Alert], begin: datetime, end: datetime, now: datetime) -> FleetFigures:
    if now - end > _HISTORY_REACHES:
        return FleetFigures()
    span_s = min(now - begin, _HISTORY_REACHES).total_seconds()
    points, told = view.history(span_s), view.events(_MOST_EVENTS, span_s)
    return fleet_figures(points, told, alerts, begin, end)


def _run_line(known: RunSummary | None, progress: RunProgress, created_at: datetime) -> RunLine:
    return RunLine(
        run=progress.run,
        platform=known.platform if known else "",
        source=known.source if known else "",
        created_at=created_at,
        products=progress.products,
        done=progress.done,
        verdicts={verdict.value: count for verdict, count in progress.by_verdict.items()},
        broken_off=progress.broken_off,
    )
