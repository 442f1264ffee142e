"""Sums up the workers' history, events and alerts between two times. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pagemill.alerting.alert import Alert
from pagemill.control_room.figures.curve import curve
from pagemill.control_room.report.models import AlertLine, FleetFigures, MemoryPoint, Rotations
from pagemill.fleet.event_log import FleetEvent
from pagemill.fleet.history import Point
from pagemill.telemetry import events

MOST_ALERTS = 50
_MOST_POINTS = 120
_LEVELS = {
    "page": events.PAGE_ROTATION,
    "context": events.CONTEXT_ROTATION,
    "browser": events.BROWSER_ROTATION,
    "driver": events.DRIVER_ROTATION,
}


def fleet_figures(
    points: Sequence[Point], told: Sequence[FleetEvent], alerts: Sequence[Alert], begin: datetime, end: datetime
) -> FleetFigures:
    """The sums between `begin` and `end`. All three sequences must be in the order in which they are read."""
    points = [point for point in points if begin.timestamp() <= point.at_s <= end.timestamp()]
    told = [each for each in told if begin <= _moment(each.at) <= end]
    memory = _memory(points)
    return FleetFigures(
        workers=len({point.worker for point in points}),
        peak_mb=round(max((point.total_mb for point in memory), default=0.0), 1),
        memory=memory,
        rotations=_rotations(points, told) if points or told else (),
        alerts=tuple(_line(alert) for alert in alerts if begin <= alert.at <= end)[:MOST_ALERTS],
        known_from=datetime.fromtimestamp(points[0].at_s, UTC) if points else None,
    )


def _memory(points: Sequence[Point]) -> tuple[MemoryPoint, ...]:
    drawn = curve(points, _MOST_POINTS)
    return tuple(MemoryPoint(at=datetime.fromtimestamp(each.at_s, UTC), pss_mb=each.pss_mb) for each in drawn)


def _rotations(points: Sequence[Point], told: Sequence[FleetEvent]) -> tuple[Rotations, ...]:
    counted: Counter[str] = Counter()
    before: dict[str, Mapping[str, int]] = {}
    for point in points:
        seen = before.get(point.worker, point.rotations)
        for level, count in point.rotations.items():
            # A worker that was restarted under its old name counts from 0 again.
            rise = count - seen.get(level, 0)
            counted[level] += rise if rise >= 0 else count
        before[point.worker] = point.rotations
    found = []
    for level, event in _LEVELS.items():
        reasons = Counter(str(each.facts.get("reason") or "unknown") for each in told if each.event == event)
        found.append(Rotations(level=level, count=max(counted[level], reasons.total()), reasons=dict(reasons)))
    return tuple(found)


def _line(alert: Alert) -> AlertLine:
    return AlertLine(
        at=alert.at.astimezone(UTC),
        level=alert.level,
        name=alert.name,
        scope=alert.scope,
        worker=alert.worker,
        message=alert.message,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
