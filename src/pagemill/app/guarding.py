"""Builds a worker's guard: the probe, the limits, and the chores that run them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pagemill.alerting.alert_desk import AlertDesk
from pagemill.app.parts import DATA_FOLDER
from pagemill.config.settings import GuardSettings
from pagemill.engine.guarded_engine import GuardedEngine
from pagemill.engine.loop_thread import LoopThread
from pagemill.errors import WorkerWornOut
from pagemill.guard.budget import Budget
from pagemill.guard.caches import CACHES
from pagemill.guard.disk import DiskWatch
from pagemill.guard.guard import Guard
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Probe
from pagemill.guard.process_watch import ProcessWatch
from pagemill.guard.sidecar import Chore, Sidecar
from pagemill.guard.watchdog import Watchdog

_DISKS_S = 30.0
_WATCH_S = 1.0
_PULSE_S = 2.0
_PRESSED_S = 1.0
"""Seconds between two measurements under pressure."""


def build_guard(
    settings: GuardSettings,
    budget: Budget,
    engine_port: GuardedEngine,
    loop: LoopThread,
    places: int,
    scratch: Path,
    desk: AlertDesk,
) -> tuple[Guard, Sidecar]:
    """The guard, and the sidecar that runs the guard's chores."""
    limits = PressureLimits(
        memory_mb=budget.memory_mb,
        js_heap_mb=settings.js_heap_limit_mb,
        driver_mb=budget.driver_limit_mb,
        python_mb=budget.python_limit_mb,
        lag_s=settings.stuck_after_s,
    )
    probe = Probe(budget.memory_mb, scratch, engine_port.reading)
    guard = Guard(settings, limits, places, engine_port, probe.sample, CACHES, desk.raise_alert)
    renderer_mb, browser_mb = settings.renderer_limit_mb, settings.browser_limit_mb
    watch = ProcessWatch(
        probe.tree.members,
        budget.renderer_limit_mb if renderer_mb == "auto" else renderer_mb,
        budget.browser_limit_mb if browser_mb == "auto" else browser_mb,
    )
    watchdog = Watchdog(
        loop.lag_s,
        settings.stuck_after_s,
        dump=engine_port.stacks,
        kill_browser=watch.end_all,
        abandon=engine_port.abandon,
        end_process=lambda: os._exit(WorkerWornOut.exit_code),
    )
    sidecar = Sidecar()
    sidecar.add(Chore("measure", settings.sample_interval_s, guard.measure))
    sidecar.add(Chore("measure under pressure", _PRESSED_S, guard.measure_if_pressed))
    sidecar.add(Chore("watch", _WATCH_S, lambda: engine_port.note_sizes(watch.look())))
    sidecar.add(Chore("watchdog", _WATCH_S, watchdog.check))
    sidecar.add(Chore("pulse", _PULSE_S, engine_port.check_pulse))
    first_s = time.monotonic() + settings.cleanup_interval_s
    sidecar.add(Chore("clean", settings.cleanup_interval_s, guard.clean, first_s))
    disks = DiskWatch([Path(), DATA_FOLDER, scratch], desk.raise_alert)
    sidecar.add(Chore("disks", _DISKS_S, disks.check))
    return guard, sidecar
