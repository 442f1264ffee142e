"""Looks for leaks in a worker's measurements: decides which values belong together, and reports what `leak` finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pagemill.guard.engine_port import WorkView
from pagemill.guard.leak import SMALLEST_MB_PER_VISIT, Baseline, Baselines, judge_leak
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_WARM_UP_VISITS = 200
"""Everything grows at first. Only growth after so many visits is a leak."""
_PYTHON = "python"
_PRODUCTS_PER_POINT = 25
"""One point for so many products. For Python, whose memory no rotation reduces and which varies little."""
_PYTHON_WARM_UP_MB = 10.0
"""What Python's caches and pools take during the first thousands of products. A slope that this explains is no leak."""
_VISITS_PER_POINT = 100
_GROWS_WITH = {"browser": "browser", "gpu": "browser", "utility": "browser", "driver": "driver"}
"""The level whose rotation reduces a role's memory. Renderers are reduced all the time, and Python never; so their
points are counted by visits."""


class RaiseAlert(Protocol):
    """Raises an alert. A protocol because the real thing, `alerting.alert_desk`, stands above this folder."""

    def __call__(self, name: str, level: str, message: str, **facts: object) -> object: ...


class LeakWatch:
    """Watches one worker."""

    def __init__(self, limits: PressureLimits, alert: RaiseAlert, now_s: Callable[[], float]) -> None:
        """
        Args:
            limits: the memory limits that must not be reached.
            alert: raises an alert.
            now_s: monotonic seconds.
        """
        self._limits = limits
        self._alert = alert
        self._now_s = now_s
        self._baselines = Baselines()
        self._suspected: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Starts again after the number of lanes has changed: fewer lanes use less memory, which says nothing about a
        leak. Python's values are kept, because Python does not use less then."""
        self._baselines.forget(but=_PYTHON)

    def look(self, sample: Sample, view: WorkView) -> None:
        """Takes a measurement. Reports a leak once, until it has ended."""
        if not view.platform:
            return
        for role, megabytes in sample.pss_mb.items():
            # A product without a page visit costs Python as much memory as one with a visit.
            visits = max(view.visits, view.products) if role == _PYTHON else view.visits
            if visits < _WARM_UP_VISITS:
                continue
            room_mb = self._limits.memory_mb - sample.total_pss_mb
            least_mb = SMALLEST_MB_PER_VISIT
            if role == _PYTHON:
                rotations = visits // _PRODUCTS_PER_POINT
                room_mb = min(room_mb, self._limits.python_mb - megabytes)
                least_mb = max(least_mb, _PYTHON_WARM_UP_MB / visits)
            elif (level := _GROWS_WITH.get(role)) is not None:
                rotations = view.rotations.get(level, 0)
            else:
                rotations = visits // _VISITS_PER_POINT
            now = Baseline(visits, self._now_s(), megabytes)
            if not self._baselines.add(role, view.platform, now, rotations):
                continue
            key = (role, view.platform)
            leak = judge_leak(role, view.platform, self._baselines.series[key], room_mb, least_mb)
            if leak is None:
                self._suspected.discard(key)
            elif key not in self._suspected:
                self._suspected.add(key)
                log.warning(
                    events.LEAK_SUSPECTED,
                    role=leak.role,
                    platform=leak.platform,
                    mb_per_100_visits=round(100 * leak.mb_per_visit, 2),
                    visits_left=leak.visits_left,
                    minutes_left=leak.minutes_left,
                )
                self._alert(
                    "leak",
                    "warning",
                    f"{leak.role} grows by {100 * leak.mb_per_visit:.1f} MB in 100 visits of {leak.platform}: "
                    f"the limit is {leak.minutes_left:g} minutes away",
                    scope=f"{role}:{view.platform}",
                )
