"""The sidecar thread: measures, logs and runs the other chores that must go on while the engine's loop is stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pagemill.guard.probe import Sample, take_sample
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")


@dataclass(slots=True)
class Chore:
    """Something done every so often; an error in it is logged and the next turn comes all the same."""

    name: str
    interval_s: float
    work: Callable[[], object]
    due_s: float = field(default=0.0)


class Sidecar:
    """One named thread. `start` it, `stop` it; chores run one after another on it."""

    def __init__(
        self,
        sample_interval_s: float,
        lanes: Callable[[], int],
        probe: Callable[[], Sample] = take_sample,
    ) -> None:
        """`lanes` tells how many lanes hold a page; `probe` measures."""
        self._lanes = lanes
        self._probe = probe
        self._chores = [Chore("measure", sample_interval_s, self._measure)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sidecar", daemon=True)
        self.latest: Sample | None = None
        self.peak_pss_mb = 0.0

    def add(self, chore: Chore) -> None:
        """Adds a chore; before `start` only."""
        self._chores.append(chore)

    def start(self) -> None:
        """Begins; every chore runs at once and then at its interval."""
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Ends the thread and waits for it, at most so long."""
        if self._thread.is_alive():
            self._stop.set()
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            now_s = time.monotonic()
            for chore in self._chores:
                if chore.due_s <= now_s:
                    chore.due_s = now_s + chore.interval_s
                    self._do(chore)
            next_s = min(chore.due_s for chore in self._chores)
            self._stop.wait(max(0.0, next_s - time.monotonic()))

    def _do(self, chore: Chore) -> None:
        try:
            chore.work()
        except Exception:
            log.exception(events.UNEXPECTED, chore=chore.name)

    def _measure(self) -> None:
        sample = self._probe()
        self.latest = sample
        self.peak_pss_mb = max(self.peak_pss_mb, sample.total_pss_mb)
        log.info(
            events.MEMORY,
            rss_mb=sample.rss_mb,
            pss_mb=dict(sample.pss_mb),
            total_pss_mb=round(sample.total_pss_mb, 1),
            shm_percent=sample.shm_percent,
            cgroup_percent=sample.cgroup_percent,
            lanes=self._lanes(),
        )
