"""Combines measuring, judging and acting, which are each in files of their own, on the sidecar's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from pagemill.config.settings import GuardSettings
from pagemill.guard import python_memory
from pagemill.guard.caches import Caches
from pagemill.guard.cleaning import Cleaned, clean
from pagemill.guard.engine_port import EnginePort, WorkView
from pagemill.guard.ladder import LadderStep, Stance, plan
from pagemill.guard.leak_watch import LeakWatch, RaiseAlert
from pagemill.guard.pressure import (
    CALM,
    PressureJudgement,
    PressureLevel,
    PressureLimits,
    PressureMarks,
    PressureReason,
    judge_pressure,
    percentages,
)
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorWatch
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_SOON_S = 0.5
"""The shortest time between two rounds under pressure."""
_OWN_PERCENT = 50.0
"""If the worker uses less than this share of the limit, it is not the cause of a shortage of memory."""
_SHM_GREW_PERCENT = 20.0
"""The same for /dev/shm: the worker may be the cause if it is so much fuller than when the worker began."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """Steps whose effect the next sample will show."""

    step: LadderStep
    judgement: PressureJudgement
    before_mb: float


class Guard:
    """The guard of one worker. Used on the sidecar's thread only; any thread may read `latest` and `judgement`."""

    _of_process: ClassVar[Guard | None] = None

    @classmethod
    def of_process(cls) -> Guard | None:
        """The guard of this process; `None` outside of a worker."""
        return cls._of_process

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Makes it this process' guard within a `with` block."""
        Guard._of_process = self
        self.collector.install()
        try:
            yield
        finally:
            self.collector.remove()
            Guard._of_process = None

    def __init__(
        self,
        settings: GuardSettings,
        limits: PressureLimits,
        places: int,
        engine_port: EnginePort,
        probe: Callable[[], Sample],
        caches: Caches,
        alert: RaiseAlert,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            settings: marks and intervals.
            limits: what 100 percent is.
            places: how many visits may be at work without pressure.
            engine_port: the engine's side.
            probe: measures.
            caches: what a cleaning may trim.
            alert: raises an alert.
            now_s: monotonic seconds.
        """
        self._settings = settings
        self._marks = PressureMarks.of(settings)
        self._limits = limits
        self._engine_port = engine_port
        self._probe = probe
        self._caches = caches
        self._alert = alert
        self._now_s = now_s
        self._stance = Stance(full_places=places, places=places, since_s=now_s())
        self._pending: list[_Pending] = []
        self._leaks = LeakWatch(limits, alert, now_s)
        self._oom_kills: int | None = None
        self._first_shm_percent: float | None = None
        self._measured_s = 0.0
        self._collected_s = float("-inf")
        self._collection_is_owed = False
        self.latest: Sample | None = None
        self.judgement = CALM
        self.peak_pss_mb = self.allocated_mb = 0.0
        self.collector = CollectorWatch()
        self.cleanings = 0

    @property
    def settings(self) -> GuardSettings:
        """The settings in force."""
        return self._settings

    @property
    def limits(self) -> PressureLimits:
        """What 100 percent is."""
        return self._limits

    @property
    def admitted_places(self) -> int:
        """How many visits may be at work under the present pressure."""
        return self._stance.admitted_places

    def configure(self, settings: GuardSettings) -> None:
        """Puts other settings into force, from the next round on. May be called from any thread."""
        self._settings = settings
        self._marks = PressureMarks.of(settings)

    def measure_if_pressed(self) -> None:
        """Makes another round if anything is above its first mark, because then measuring more often is worth it."""
        if self.judgement.level > PressureLevel.NORMAL and self._now_s() - self._measured_s >= _SOON_S:
            self.measure()

    def measure(self) -> None:
        """Makes one round: sample, log, judge, act."""
        view = self._engine_port.view()
        sample = self._probe()
        self._measured_s = self._now_s()
        if self.latest is None:
            self._first_shm_percent = sample.shm_percent
        before_mb = self.latest.total_pss_mb if self.latest else 0.0
        self.latest = sample
        self.allocated_mb += max(0.0, sample.total_pss_mb - before_mb)
        self.peak_pss_mb = max(self.peak_pss_mb, sample.total_pss_mb)
        self._log(sample, view)
        self._tell_effects(sample)
        self._act(sample, view)
        self._leaks.look(sample, view)
        self._look_for_oom_kills(sample)
        if self._collection_is_owed and self._may_collect():
            self.clean()
        self._engine_port.measure_pages()

    def clean(self, *, thorough: bool = False, urgent: bool = False) -> Cleaned:
        """The regular cleaning without pressure. A thorough one also removes a share of every cache.

        Garbage is collected if the last collection was `gc_interval_s` ago, or if it is urgent. If a cleaning comes too
        early for that, a later round makes up for it.
        """
        self.cleanings += 1
        wanted = self._settings.enable_auto_gc
        collects = wanted and (urgent or self._may_collect())
        if collects:
            self._collected_s = self._now_s()
        self._collection_is_owed = wanted and not collects
        return clean(self._settings, self._caches, thorough=thorough, collects=collects)

    def collect(self) -> int:
        """Collects garbage, whatever the settings say. Returns how many objects were unreachable."""
        self._collected_s, self._collection_is_owed = self._now_s(), False
        collected = python_memory.collect()
        python_memory.trim()
        return collected

    def _may_collect(self) -> bool:
        return self._now_s() - self._collected_s >= self._settings.gc_interval_s

    def _log(self, sample: Sample, view: WorkView) -> None:
        log.info(
            events.MEMORY,
            rss_mb=sample.rss_mb,
            pss_mb=dict(sample.pss_mb),
            total_pss_mb=round(sample.total_pss_mb, 1),
            js_heap_mb=sample.js_heap_mb,
            shm_percent=sample.shm_percent,
            cgroup_percent=sample.cgroup_percent,
            lanes=view.taken,
            places=self._stance.admitted_places,
            most_lanes=self._stance.admitted_places,
            visits=view.visits,
            swap_mb=sample.swap_mb,
            descriptors=sample.descriptors,
            zombies=sample.zombies,
            temporary_mb=sample.temporary_mb,
            lag_ms=round(sample.loop_lag_s * 1000),
            gc_percent=self.collector.stats().cpu_percent,
        )

    def _act(self, sample: Sample, view: WorkView) -> None:
        before = self.judgement
        self.judgement = judgement = judge_pressure(before, percentages(sample, self._limits, view.pages), self._marks)
        if judgement.level is not before.level:
            write = log.warning if judgement.level > before.level else log.info
            write(
                events.PRESSURE,
                pressure=judgement.level.word,
                before=before.level.word,
                reason=judgement.reason.value,
                percent=judgement.percent,
            )
        stood = self._stance
        self._stance, steps = plan(
            stood,
            judgement,
            self._now_s(),
            pages=view.pages,
            may_help=self._may_leaving_help(judgement, sample, view),
        )
        if self._stance.admitted_places != stood.admitted_places:
            self._engine_port.limit_places(self._stance.admitted_places)
            self._leaks.forget()
            places = self._stance.admitted_places
            log.info(events.LANES_CHANGED, places=places, before=stood.admitted_places, lanes=places)
        if (judgement.level > PressureLevel.NORMAL) is not (before.level > PressureLevel.NORMAL):
            self._engine_port.save_memory(on=judgement.level > PressureLevel.NORMAL)
        for step in steps:
            self._take(step, judgement, sample)

    def _may_leaving_help(self, judgement: PressureJudgement, sample: Sample, view: WorkView) -> bool:
        """Whether a fresh process would use less of what is short. One that has done nothing yet is already fresh."""
        short = {reason for reason, level in judgement.levels.items() if level is PressureLevel.EMERGENCY}
        if (sample.memory_percent or 0.0) < _OWN_PERCENT:
            short.discard(PressureReason.MEMORY)
        if (sample.shm_percent or 0.0) - (self._first_shm_percent or 0.0) < _SHM_GREW_PERCENT:
            short.discard(PressureReason.SHM)
        return bool(short) and view.products > 0

    def _take(self, step: LadderStep, judgement: PressureJudgement, sample: Sample) -> None:
        if step is LadderStep.CLEAN:
            freed_mb = self.clean(thorough=True, urgent=judgement.level is PressureLevel.EMERGENCY).freed_mb
            self._tell(step, judgement, freed_mb)
            return
        self._pending.append(_Pending(step, judgement, sample.total_pss_mb))
        if step is LadderStep.ROTATE_IDLE:
            self._engine_port.rotate_idle()
        elif step is LadderStep.ROTATE_CONTEXTS:
            self._engine_port.rotate_contexts()
        elif step is LadderStep.RETIRE:
            self._engine_port.retire_browser()
        elif step is LadderStep.ALERT:
            message = f"{judgement.reason.value} at {judgement.percent:g} % of its limit"
            self._alert("pressure", judgement.level.word, message, reason=judgement.reason.value)
        elif step is LadderStep.LEAVE:
            self._engine_port.leave(f"{judgement.reason.value} stayed at {judgement.percent:g} % of its limit")
        elif step is LadderStep.ABANDON:
            self._engine_port.abandon("the visits at work did not come to their end")

    def _tell_effects(self, sample: Sample) -> None:
        """Logs the steps of one round together with what they freed, because their effects cannot be told apart."""
        pending, self._pending = self._pending, []
        for each in pending:
            self._tell(each.step, each.judgement, max(0.0, each.before_mb - sample.total_pss_mb))

    def _tell(self, step: LadderStep, judgement: PressureJudgement, freed_mb: float) -> None:
        log.warning(
            events.PRESSURE_STEP,
            step=step.value,
            pressure=judgement.level.word,
            reason=judgement.reason.value,
            freed_mb=round(freed_mb, 1),
        )

    def _look_for_oom_kills(self, sample: Sample) -> None:
        before, self._oom_kills = self._oom_kills, sample.oom_kills
        if before is not None and sample.oom_kills > before:
            self._alert("oom_kill", "critical", f"the kernel killed {sample.oom_kills - before} processes for memory")
