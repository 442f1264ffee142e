"""The fleet's health in one of three words with a reason, as health checks and dashboards show it first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pagemill.config.settings import GuardSettings
from pagemill.control_room.figures.memory_figures import memory_percent
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.guard.pressure import PressureLevel, PressureMarks

HealthWord = Literal["healthy", "warning", "critical"]

_WORDS: dict[PressureLevel, HealthWord] = {
    PressureLevel.NORMAL: "healthy",
    PressureLevel.WARNING: "warning",
    PressureLevel.CLEANUP: "warning",
    PressureLevel.CRITICAL: "critical",
    PressureLevel.EMERGENCY: "critical",
}


@dataclass(frozen=True, slots=True)
class Health:
    """The health of some workers."""

    word: HealthWord
    message: str
    percent: float
    """The memory usage of the fullest worker, as its guard judges it."""


def health_of(workers: Sequence[WorkerSnapshot], guard: GuardSettings, waiting: int = 0) -> Health:
    """The health of the worst worker, by the marks that its memory has reached or by its guard's own judgement.

    Args:
        workers: including dead ones that should count: one that died without signing off is a warning.
        guard: has the marks for workers that do not publish their own.
        waiting: batches on the queues; if there are any and no worker, that is a warning, too.
    """
    alive = [worker for worker in workers if worker.is_alive]
    silent = [worker.name for worker in workers if not worker.is_alive]
    if not alive:
        said = f"no worker is alive: {', '.join(silent)} fell silent" if silent else "no worker is running"
        if waiting:
            said += f", and {waiting} batches wait"
        return Health("warning" if silent or waiting else "healthy", said, 0.0)
    worst = max(alive, key=lambda worker: (_level(worker, guard), memory_percent(worker)))
    level, percent = _level(worst, guard), round(max(memory_percent(worker) for worker in alive), 1)
    if level is PressureLevel.NORMAL and silent:
        return Health("warning", f"fell silent: {', '.join(silent)}", percent)
    return Health(_WORDS[level], _message(worst, level), percent)


def _level(worker: WorkerSnapshot, guard: GuardSettings) -> PressureLevel:
    by_marks = PressureMarks.of(worker.guard_in_force(guard)).reached(memory_percent(worker))
    known = {level.word: level for level in PressureLevel}
    return max(by_marks, known.get(worker.pressure, PressureLevel.NORMAL))


def _message(worker: WorkerSnapshot, level: PressureLevel) -> str:
    percent = f"{memory_percent(worker):.1f}%"
    if level is PressureLevel.NORMAL:
        return f"Memory is fine ({percent})"
    about = worker.pressure_reason if worker.pressure != PressureLevel.NORMAL.word else ""
    short = f"{about} is short, " if about and about != "memory" else ""
    return f"Pressure is {level.word} on {worker.name}: {short}memory at {percent}"
