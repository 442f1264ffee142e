"""Reads what the fleet has published, and gives it in the shapes of `/api/performance`.

The routes and the live connection both use it, so they say the same. Every function waits for Redis, and raises
`RedisUnavailable` when Redis does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pagemill.config.alert_metrics import METRICS
from pagemill.control_room.api import performance_data as data
from pagemill.control_room.api.dashboard_models import Dashboard, DashboardHistory
from pagemill.control_room.api.dependencies import Parts
from pagemill.control_room.api.fleet_rows import platform_rows, process_row, worker_row
from pagemill.control_room.api.performance_models import (
    PERIODS_S,
    HistoryData,
    HistoryPoint,
    MeasureText,
    Metrics,
    Period,
)
from pagemill.control_room.figures.curve import MOST_POINTS
from pagemill.control_room.figures.health_word import Health, health_of
from pagemill.control_room.figures.memory_figures import pss_by_role_mb
from pagemill.control_room.figures.recommendations import recommendations
from pagemill.control_room.figures.trend import Trend, trend_of
from pagemill.fleet.measures import MEASURES
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.view import FRESH_S, FleetPicture, Rates

DASHBOARD_POINTS = 60
_ALERTS = 20
_EVENTS = 100
_EVENTS_READ = 1000
_DAY_S = 24 * 3600.0


def current(parts: Parts, now: datetime) -> Metrics:
    """The latest measurements of all workers that are alive, together."""
    picture = parts.view.picture()
    return data.current_of(picture.alive, picture.rates, now)


def history(parts: Parts, period: Period, worker: str = "") -> HistoryData:
    """The measurements of that period, of all workers or of one."""
    points = _points(parts, period, worker, MOST_POINTS)
    measures = [MeasureText(name=name, meaning=METRICS[name].text, unit=METRICS[name].unit) for name in MEASURES]
    return HistoryData(period=period, worker=worker, points=points, measures=measures)


def trend(parts: Parts, worker: str = "") -> Trend:
    """Whether memory has risen or fallen within the last hour, of all workers or of one."""
    points = parts.curve(PERIODS_S["hourly"], worker, DASHBOARD_POINTS)
    return trend_of([point.total_pss_mb for point in points])


def health(parts: Parts, picture: FleetPicture, workers: Sequence[WorkerSnapshot]) -> Health:
    """How healthy these workers are, in a word and a sentence."""
    waiting = sum(queue.waiting for queue in picture.queues)
    return health_of(workers, parts.guard_in_force(picture.overrides), waiting)


def dashboard(
    parts: Parts, now: datetime, workers: Sequence[WorkerSnapshot], worker: str = "", *, with_history: bool = True
) -> Dashboard:
    """All that the dashboard shows, at most a second old. `worker` names the only one that is shown; empty for all."""

    def make() -> Dashboard:
        return _dashboard(parts, now, workers, worker, with_history=with_history)

    return parts.dashboards.get((worker, with_history), make, FRESH_S)


def _dashboard(
    parts: Parts, now: datetime, workers: Sequence[WorkerSnapshot], worker: str, *, with_history: bool
) -> Dashboard:
    picture = parts.view.picture()
    shown = [each for each in picture.workers if not worker or each.name == worker]
    state = health(parts, picture, shown)
    memory_trend = trend(parts, worker)
    curves: dict[Period, list[HistoryPoint]] = {}
    if with_history:
        curves = {period: _points(parts, period, worker, DASHBOARD_POINTS) for period in PERIODS_S}
    found = parts.view.events(_EVENTS_READ, _DAY_S)
    return Dashboard(
        current=data.current_of(workers, picture.rates, now),
        history=DashboardHistory(**{str(period): points for period, points in curves.items()}) if curves else None,
        alerts=[data.alert_text_of(alert) for alert in parts.alerts(_ALERTS)],
        status=state.word,
        status_message=state.message,
        trends=data.trends_of(memory_trend),
        recommendations=recommendations(picture, memory_trend),
        memory=data.used_memory_of(workers, state),
        memory_by_role_mb=pss_by_role_mb(workers),
        workers=[worker_row(each, picture.rates.get(each.name, Rates()), now) for each in shown],
        processes=[process_row(each, now) for each in picture.processes],
        platforms=platform_rows(picture, workers),
        events=data.event_texts_of([each for each in found if not worker or each.worker == worker], _EVENTS),
        scheduler=picture.timetable.leader,
    )


def _points(parts: Parts, period: Period, worker: str, most: int) -> list[HistoryPoint]:
    return [data.history_point_of(point) for point in parts.curve(PERIODS_S[period], worker, most)]
