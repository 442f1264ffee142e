"""Judges how short of something a worker is. Pure: takes percentages, returns a level; it does not measure or act.

A level is entered at its own mark, and left only below the mark under it. So a value that varies around one mark does
not change the level all the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pagemill.config.settings import GuardSettings
from pagemill.guard.probe import Sample


class PressureLevel(IntEnum):
    """How close something is to its limit."""

    NORMAL = 0
    WARNING = 1
    CLEANUP = 2
    CRITICAL = 3
    EMERGENCY = 4

    @property
    def word(self) -> str:
        """The word that log lines use."""
        return self.name.lower()


class PressureReason(StrEnum):
    """What is short."""

    MEMORY = "memory"
    SHM = "shm"
    JS_HEAP = "js_heap"
    DRIVER = "driver"
    PYTHON = "python"
    LAG = "lag"
    DESCRIPTORS = "descriptors"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class PressureMarks:
    """Percentages, rising. `enter[level]` is where a level begins."""

    recover: float
    enter: tuple[float, float, float, float]
    """The marks of WARNING, CLEANUP, CRITICAL and EMERGENCY."""

    @classmethod
    def of(cls, settings: GuardSettings) -> PressureMarks:
        """The marks of the configuration."""
        return cls(
            settings.recover_percent,
            (
                settings.warning_percent,
                settings.cleanup_percent,
                settings.critical_percent,
                settings.emergency_percent,
            ),
        )

    def reached(self, percent: float) -> PressureLevel:
        """The highest level whose mark the value has reached."""
        return PressureLevel(sum(percent >= mark for mark in self.enter))

    def leave(self, level: PressureLevel) -> float:
        """The percentage below which a level above NORMAL is left."""
        return self.recover if level is PressureLevel.WARNING else self.enter[level - 2]

    def next(self, before: PressureLevel, percent: float) -> PressureLevel:
        """The level after `before`, now that the value is `percent`."""
        level = max(before, self.reached(percent))
        while level > PressureLevel.NORMAL and percent < self.leave(level):
            level = PressureLevel(level - 1)
        return level


@dataclass(frozen=True, slots=True)
class PressureLimits:
    """What 100 percent is, in MB and seconds, if the sample does not contain it."""

    memory_mb: float
    js_heap_mb: float
    """For one page."""
    driver_mb: float
    python_mb: float
    lag_s: float


@dataclass(frozen=True, slots=True)
class PressureJudgement:
    """The judgement on one sample: the highest level, its reason, and the level of every reason."""

    level: PressureLevel
    reason: PressureReason
    percent: float
    levels: Mapping[PressureReason, PressureLevel]


CALM = PressureJudgement(PressureLevel.NORMAL, PressureReason.MEMORY, 0.0, {})
"""The judgement before anything was measured."""


def percentages(sample: Sample, limits: PressureLimits, pages: int) -> dict[PressureReason, float]:
    """The used share of each limit, in percent; `pages` is how many pages are open."""
    pss = sample.pss_mb
    return {
        PressureReason.MEMORY: max(sample.memory_percent or 0.0, sample.cgroup_percent or 0.0, sample.machine_percent),
        PressureReason.SHM: sample.shm_percent or 0.0,
        PressureReason.JS_HEAP: 100 * (sample.js_heap_mb or 0.0) / (limits.js_heap_mb * max(1, pages)),
        PressureReason.DRIVER: 100 * pss.get("driver", 0.0) / limits.driver_mb,
        PressureReason.PYTHON: 100 * pss.get("python", 0.0) / limits.python_mb,
        # A delay that has ended is only logged; nothing needs to be done about it.
        PressureReason.LAG: 100 * sample.standstill_s / limits.lag_s,
        PressureReason.DESCRIPTORS: 100 * sample.descriptors / sample.descriptor_limit
        if sample.descriptor_limit
        else 0.0,
        PressureReason.TEMPORARY: sample.temporary_percent,
    }


def judge_pressure(
    before: PressureJudgement, percents: Mapping[PressureReason, float], marks: PressureMarks
) -> PressureJudgement:
    """The next judgement. Of several reasons at one level, the one with the highest percentage is named."""
    levels = {
        reason: marks.next(before.levels.get(reason, PressureLevel.NORMAL), percent)
        for reason, percent in percents.items()
    }
    reason = max(levels, key=lambda each: (levels[each], percents[each]))
    return PressureJudgement(levels[reason], reason, round(percents[reason], 1), levels)
