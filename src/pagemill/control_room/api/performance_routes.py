"""The parts of `/api/performance` that only read: state, measurements, alerts, caches, times, the report.

Every answer but the HTML report is in the envelope. `performance_changes` has the routes that change something.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BeforeValidator
from starlette.responses import HTMLResponse, JSONResponse, Response

from pagemill.alerting.history import KEPT
from pagemill.alerting.rules_in_force import shown_thresholds
from pagemill.config.mistakes import Mistake
from pagemill.config.schedule import check_zone
from pagemill.control_room.api import performance_data as data
from pagemill.control_room.api import performance_view as view
from pagemill.control_room.api.change_models import ThresholdsInForce
from pagemill.control_room.api.dashboard_models import Dashboard
from pagemill.control_room.api.dependencies import (
    UNKNOWN_WORKER,
    ChosenWorkers,
    Documented,
    PartsOfApp,
    WorkerName,
    unknown_worker,
)
from pagemill.control_room.api.performance_models import (
    PERIODS_S,
    AlertsData,
    CacheData,
    EventsData,
    HealthEnvelope,
    HistoryData,
    MemoryData,
    Metrics,
    Period,
    ResponseTimeData,
)
from pagemill.control_room.frame.access import reader
from pagemill.control_room.frame.envelope import ApiError, Envelope, ErrorEnvelope, Now, sealed
from pagemill.control_room.report.models import DayReport, RunReport
from pagemill.errors import UsageError

router = APIRouter(prefix="/api/performance", tags=["performance"])

_READS = [Depends(reader)]
_CRITICAL: Documented = {
    503: {"model": HealthEnvelope | ErrorEnvelope, "description": "It is critical, or Redis is out of reach"}
}
_MOST_EVENTS = 5000

Span = Annotated[Period, Query(description="The last hour, day or week")]


@router.get("/health", responses=_CRITICAL, response_model=HealthEnvelope)
def show_health(parts: PartsOfApp, now: Now) -> HealthEnvelope | Response:
    """The fleet's health in one word; needs no token."""
    picture = parts.view.picture()
    health = view.health(parts, picture, picture.workers)
    found = data.health_data_of(picture.alive, health, now)
    if health.word != "critical":
        return HealthEnvelope(success=True, data=found, timestamp=now)
    envelope = HealthEnvelope(success=False, data=found, timestamp=now)
    return JSONResponse(envelope.model_dump(mode="json", by_alias=True), 503)


@router.get("/metrics/current", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_current(chosen: ChosenWorkers, now: Now) -> Envelope[Metrics]:
    """The fleet now."""
    return sealed(data.current_of(chosen.workers, chosen.picture.rates, now), now)


@router.get("/metrics/history", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_history(
    parts: PartsOfApp, now: Now, period: Span = "hourly", worker: WorkerName = ""
) -> Envelope[HistoryData]:
    """Measurements of a period, in 400 points at most; also those of a worker that has ended."""
    found = view.history(parts, period, worker)
    if worker and not found.points:
        picture = parts.view.picture()
        if worker not in {each.name for each in picture.workers}:
            raise unknown_worker(picture)
    return sealed(found, now)


@router.get("/dashboard", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_dashboard(
    parts: PartsOfApp,
    chosen: ChosenWorkers,
    now: Now,
    history: Annotated[bool, Query(description="Whether to tell the history too")] = True,
) -> Envelope[Dashboard]:
    """Everything that the dashboard shows. Frequent requests should leave the history out."""
    return sealed(view.dashboard(parts, now, chosen.workers, chosen.worker, with_history=history), now)


@router.get("/thresholds", dependencies=_READS)
def show_thresholds(parts: PartsOfApp, now: Now) -> Envelope[ThresholdsInForce]:
    """Thresholds of alerts as they are now: shares from 0 to 1, times in milliseconds."""
    put = parts.view.picture().overrides.thresholds
    return sealed(ThresholdsInForce(thresholds=shown_thresholds(parts.rules, put)), now)


@router.get("/alerts", dependencies=_READS)
def show_alerts(parts: PartsOfApp, now: Now, count: Annotated[int, Query(ge=1, le=KEPT)] = 50) -> Envelope[AlertsData]:
    """The latest alerts of the fleet."""
    return sealed(AlertsData(alerts=[data.alert_text_of(alert) for alert in parts.alerts(count)]), now)


@router.get("/events", dependencies=_READS)
def show_events(
    parts: PartsOfApp, now: Now, period: Span = "hourly", count: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Envelope[EventsData]:
    """What was replaced, lost or restarted: contexts, browsers, drivers, workers."""
    found = parts.view.events(_MOST_EVENTS, PERIODS_S[period])
    return sealed(EventsData(events=data.event_texts_of(found, count)), now)


@router.get("/cache", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_cache(parts: PartsOfApp, chosen: ChosenWorkers, now: Now) -> Envelope[CacheData]:
    """Caches in the workers' memory, and skipped visits of products that were seen recently."""
    guard = parts.guard_in_force(chosen.picture.overrides)
    return sealed(data.cache_data_of(chosen.workers, chosen.picture.revisits, guard, parts.lookups()), now)


@router.get("/memory", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_memory(parts: PartsOfApp, chosen: ChosenWorkers, now: Now) -> Envelope[MemoryData]:
    """Memory in detail."""
    shown = chosen.workers if chosen.worker else chosen.picture.workers
    health = view.health(parts, chosen.picture, shown)
    return sealed(data.memory_data_of(chosen.workers, health, view.trend(parts, chosen.worker)), now)


@router.get("/response-time", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_times(chosen: ChosenWorkers, now: Now) -> Envelope[ResponseTimeData]:
    """How long products take, since the workers started."""
    return sealed(data.response_time_of(chosen.picture, chosen.workers), now)


def _zone_named(value: str) -> str:
    try:
        return check_zone(value) if value else ""
    except Mistake as mistake:
        raise ValueError(str(mistake)) from None


def _written_out(value: object) -> object:
    """Rejects numbers, because pydantic would take them as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("write it as 2026-11-21")
    return value


_REPORT: Documented = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}},
    404: {"description": "There is no such run"},
}


@router.get("/report", dependencies=_READS, responses=_REPORT, response_model=Envelope[RunReport | DayReport])
def show_report(
    parts: PartsOfApp,
    now: Now,
    run: Annotated[str, Query(max_length=200, description="A run's id; by default the last 24 hours")] = "",
    day: Annotated[date | None, BeforeValidator(_written_out), Query(description="Not with a run")] = None,
    time_zone: Annotated[
        str,
        AfterValidator(_zone_named),
        Query(max_length=60, description="Whose day; by default that of the schedule's entries, or UTC"),
    ] = "",
    form: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
) -> Envelope[RunReport | DayReport] | Response:
    """The summary of a run, of a day, or of the last 24 hours; as HTML it is one page with charts. It may be as old as
    twenty times what making it takes, a minute at most; `made_at` tells."""
    try:
        report = parts.report(run, day, now, time_zone)
    except UsageError as error:
        if run and day is None:
            raise ApiError(404, "not_found", str(error)) from error
        raise ApiError(422, "invalid", str(error)) from error
    if form == "json":
        return Envelope[RunReport | DayReport](data=report, timestamp=now)
    from pagemill.control_room.report.page import report_page

    return HTMLResponse(report_page(report))
