"""What routes need besides the request. `server` builds it once; the dependencies here give it to the routes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from redis import Redis

from pagemill.alerting.alert import Alert
from pagemill.alerting.history import KEPT, recent_alerts
from pagemill.applying.applier import Applier
from pagemill.applying.undoer import Undoer
from pagemill.broker.connection import redis_connection_counts
from pagemill.config.alerts import AlertRule
from pagemill.config.changeable import in_force
from pagemill.config.platform import Platform
from pagemill.config.schedule import Schedule
from pagemill.config.settings import GuardSettings
from pagemill.control_room.api.dashboard_models import Dashboard
from pagemill.control_room.control.background_cleanup import BackgroundCleanup
from pagemill.control_room.control.database_check import DatabaseCheck
from pagemill.control_room.control.drafts import Drafts
from pagemill.control_room.control.product_trial import ProductTrial
from pagemill.control_room.control.restart import RollingRestart
from pagemill.control_room.control.run_requests import RunRequests
from pagemill.control_room.figures.curve import CurvePoint, curve
from pagemill.control_room.frame.envelope import ApiError
from pagemill.control_room.report.models import Report
from pagemill.control_room.report.summary import summary
from pagemill.fleet.orders import OrderReply, give
from pagemill.fleet.overrides import Overrides
from pagemill.fleet.shared_cache import Lookups, SharedCache
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.view import FRESH_S, FleetPicture, FleetView
from pagemill.intake.begin_run import Beginner
from pagemill.model import ConnectionCounts
from pagemill.results.runs import RunSummary
from pagemill.results.store import ResultStore

ORDER_TIMEOUT_S = 10.0
_MOST_CURVES = 64
_MOST_ALERT_LISTS = 16
_MOST_REPORTS = 16
_MOST_DASHBOARDS = 32
_MOST_LISTS = 32

Documented = dict[int | str, dict[str, Any]]
"""A route's responses, in the form of FastAPI's `responses` argument."""

UNKNOWN_WORKER: Documented = {404: {"description": "No worker of that name is alive"}}


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one API process."""

    redis: Redis
    """Fails within seconds."""
    view: FleetView
    configured: Mapping[str, Platform]
    """The platforms of this process' own configuration, by name."""
    guard: GuardSettings
    """The guard's settings in this process' own configuration."""
    rules: Mapping[str, AlertRule]
    """The alert rules in this process' own configuration, by name."""
    store: ResultStore
    database: DatabaseCheck
    cleanup: BackgroundCleanup
    restart: RollingRestart
    beginner: Beginner
    run_requests: RunRequests
    trial: ProductTrial
    schedule: Callable[[], Schedule]
    """Gives the schedule as it is now."""
    drafts: Drafts
    applier: Applier
    undoer: Undoer
    artifacts: Path
    """The folder with screenshots and HTML of failures; it may not exist."""
    applying: threading.Lock = field(default_factory=threading.Lock)
    """Held while results are applied or undone, so that only one request does so at a time."""
    root_path: str = ""
    """The path under which a proxy serves the API; empty without one."""
    curves: SharedCache[tuple[float, str, int], list[CurvePoint]] = field(
        default_factory=lambda: SharedCache(_MOST_CURVES)
    )
    """Keyed by the span in seconds, the worker's name (empty for all), and the most points of a curve."""
    alert_lists: SharedCache[int, list[Alert]] = field(default_factory=lambda: SharedCache(_MOST_ALERT_LISTS))
    """Keyed by the most alerts of a list."""
    dashboards: SharedCache[tuple[str, bool], Dashboard] = field(default_factory=lambda: SharedCache(_MOST_DASHBOARDS))
    """Keyed by the worker's name and by whether the history is included."""
    reports: SharedCache[tuple[str, date | None, str], Report] = field(
        default_factory=lambda: SharedCache(_MOST_REPORTS)
    )
    metrics: SharedCache[str, tuple[bytes, str]] = field(default_factory=lambda: SharedCache(1))
    """The metrics in Prometheus' text format, and their content type."""
    runs: SharedCache[tuple[int, str, str], list[RunSummary]] = field(
        default_factory=lambda: SharedCache(_MOST_LISTS, least_s=0)
    )
    """Lists of runs, keyed by their length, the run before which they begin, and the platform."""

    def curve(self, span_s: float, worker: str = "", most: int = 400) -> list[CurvePoint]:
        """The last `span_s` seconds in at most `most` points. Cached for as long as two of the points cover, at most
        five minutes.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        kept_s = min(300.0, max(2.0, 2 * span_s / most))
        key = (span_s, worker, most)
        return self.curves.get(key, lambda: curve(self.view.history(span_s, worker), most), kept_s)

    def alerts(self, count: int) -> list[Alert]:
        """The latest alerts, newest first; up to a second old.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        return self.alert_lists.get(count, lambda: recent_alerts(self.redis, count), FRESH_S)

    def report(self, run: str, day: date | None, now: datetime, time_zone: str = "") -> Report:
        """A report, see `summary`; up to a minute old. The default time zone of a day is the schedule's.

        Raises:
            UsageError, RedisUnavailable, DatabaseUnavailable: as `summary`.
        """

        zone = time_zone or self.schedule().time_zone

        def make() -> Report:
            alerts = self.alerts(KEPT)
            return summary(self.view, self.store, run=run, day=day, time_zone=zone, alerts=alerts, now=lambda: now)

        return self.reports.get((run, day, zone), make)

    def lookups(self) -> dict[str, Lookups]:
        """Hits and misses of each cache, by its name."""
        return {
            **self.view.lookups(),
            "curves": self.curves.lookups,
            "alerts": self.alert_lists.lookups,
            "dashboards": self.dashboards.lookups,
            "reports": self.reports.lookups,
            "metrics": self.metrics.lookups,
            "runs": self.runs.lookups,
        }

    def connections(self) -> dict[str, ConnectionCounts]:
        """The connections of this process, by service."""
        return {"redis": redis_connection_counts(self.redis), "database": self.store.connections()}

    def guard_in_force(self, overrides: Overrides) -> GuardSettings:
        """The guard's settings with the fleet's overrides. If the overrides contradict this process' own configuration,
        they are all ignored, as workers ignore them."""
        return in_force(self.guard, overrides.guard)

    def guard_of(self, chosen: FleetPart) -> GuardSettings:
        """The guard's settings as the requested worker applies them; without a worker, those of the fleet."""
        fleet = self.guard_in_force(chosen.picture.overrides)
        return chosen.workers[0].guard_in_force(fleet) if chosen.worker else fleet

    def forget(self) -> None:
        """Clears the caches after a change, so that the next request reads everything anew."""
        self.view.forget()
        self.alert_lists.forget()
        self.dashboards.forget()
        self.metrics.forget()

    def order(
        self, workers: tuple[WorkerSnapshot, ...], action: str, timeout_s: float = ORDER_TIMEOUT_S, **arguments: Any
    ) -> list[OrderReply]:
        """Sends an order to these workers, see `orders.give`, and clears the caches."""
        try:
            return give(self.redis, [worker.name for worker in workers], action, timeout_s, **arguments)
        finally:
            self.forget()


def parts_of(request: Request) -> Parts:
    """The parts of the application that the request is for."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


async def _parts(request: Request) -> Parts:
    return parts_of(request)


PartsOfApp = Annotated[Parts, Depends(_parts)]
"""The parameter type by which a route gets the parts."""


@dataclass(frozen=True, slots=True)
class FleetPart:
    """The part of the fleet that a request asks about."""

    picture: FleetPicture
    workers: tuple[WorkerSnapshot, ...]
    """The living workers; only one if the request names one."""
    worker: str
    """The worker's name; empty for the whole fleet."""


WorkerName = Annotated[
    str,
    Query(alias="worker", max_length=200, description="Only this worker; by default the whole fleet", examples=[""]),
]


def _chosen(parts: PartsOfApp, worker: WorkerName = "") -> FleetPart:
    picture = parts.view.picture()
    if not worker:
        return FleetPart(picture, picture.alive, "")
    found = tuple(each for each in picture.alive if each.name == worker)
    if not found:
        raise unknown_worker(picture)
    return FleetPart(picture, found, worker)


ChosenWorkers = Annotated[FleetPart, Depends(_chosen)]
"""The parameter type by which a route gets all workers or, with `?worker=NAME`, that worker."""


def unknown_worker(picture: FleetPicture) -> ApiError:
    """The error for a name that no living worker has."""
    known = ", ".join(worker.name for worker in picture.alive) or "none"
    return ApiError(404, "unknown_worker", f"no worker of that name is alive; known are: {known}")


def check_platform(parts: Parts, name: str) -> None:
    """Raises an error if the platform is not configured.

    Raises:
        ApiError: 404, with the names of the configured platforms.
    """
    if name not in parts.configured:
        known = ", ".join(sorted(parts.configured)) or "none"
        raise ApiError(404, "unknown_platform", f"no platform of that name is configured; known are: {known}")
