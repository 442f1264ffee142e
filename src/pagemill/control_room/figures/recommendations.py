"""Recommends to an operator what to do, in sentences, gravest first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pagemill.config.remedies import ANY_PLATFORM, Remedy
from pagemill.control_room.figures.trend import Trend
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.view import FleetPicture
from pagemill.guard.pressure import PressureReason

_ALARMING_LAG_MS = 250.0
_ALARMING_GC_PERCENT = 10.0
_ALARMING_SHM_PERCENT = 70.0
_BLOCKED = 0.2
_FAILED = 0.05
_POOR_HITS = 0.1
_FEWEST_ASKED = 100
_SHORTAGES: Mapping[str | None, Remedy] = {
    PressureReason.SHM: Remedy.SHORT_OF_SHM,
    PressureReason.LAG: Remedy.SHORT_OF_CPU,
}


def recommendations(picture: FleetPicture, trend: Trend) -> list[str]:
    """One sentence or more; if all is well, one that says so.

    Args:
        picture: the fleet now.
        trend: the trend of its memory in the last hour.
    """
    alive = picture.alive
    said = [
        *_on_absence(picture),
        *(sentence for worker in alive for sentence in _on_worker(worker)),
        *_on_trend(trend, alive),
        *_on_verdicts(picture),
        *_on_pace(picture),
        *_on_revisits(picture),
    ]
    if said:
        return said
    return (
        ["All is well: memory is stable and nothing runs short."] if alive else ["No worker runs and none is needed."]
    )


def _on_absence(picture: FleetPicture) -> Iterator[str]:
    waiting = sum(queue.waiting for queue in picture.queues)
    if waiting and not picture.alive:
        yield f"{waiting} batches wait and no worker is alive: {Remedy.NO_WORKER}."
    silent = [worker.name for worker in picture.workers if not worker.is_alive]
    if silent:
        yield f"Fell silent without a word: {', '.join(silent)}: {Remedy.SILENT}."
    failed = sum(queue.failed for queue in picture.queues)
    if failed:
        yield f"{failed} batches were given up: {Remedy.GIVEN_UP}."


def _on_worker(worker: WorkerSnapshot) -> Iterator[str]:
    if worker.pressure in ("critical", "emergency"):
        yield (
            f"{worker.name} is under {worker.pressure} pressure ({worker.pressure_reason or 'memory'}): "
            f"{_SHORTAGES.get(worker.pressure_reason, Remedy.SHORT_OF_MEMORY)}."
        )
    sample = worker.sample
    if sample is None:
        return
    if sample.oom_kills:
        killed = f"The kernel has killed {sample.oom_kills} processes for memory in the container of {worker.name}"
        yield f"{killed}: {Remedy.OOM_KILLED}."
    if (sample.shm_percent or 0.0) >= _ALARMING_SHM_PERCENT:
        yield f"Shared memory of {worker.name} is {sample.shm_percent:.0f}% full: {Remedy.SHORT_OF_SHM}."
    if sample.swap_mb >= 1:
        swapped = f"{sample.swap_mb:.0f} MB of {worker.name} are swapped out, and it is slow until they are back"
        yield f"{swapped}: {Remedy.SHORT_OF_MEMORY}."
    if sample.loop_lag_s * 1000 >= _ALARMING_LAG_MS:
        lag = f"{sample.loop_lag_s * 1000:.0f} ms"
        yield f"The event loop of {worker.name} lags {lag}: {Remedy.SHORT_OF_CPU}."
    if worker.collector.cpu_percent >= _ALARMING_GC_PERCENT:
        share = f"{worker.collector.cpu_percent:.0f}% of the CPU time of {worker.name}"
        yield f"Python's collector takes {share}: {Remedy.COLLECTING}."


def _on_trend(trend: Trend, alive: Sequence[WorkerSnapshot]) -> Iterator[str]:
    if trend.word == "increasing" and alive:
        yield f"Memory has changed by {trend.change} within the last hour: {Remedy.GROWING}."


def _on_verdicts(picture: FleetPicture) -> Iterator[str]:
    for worker in picture.alive:
        rates = picture.rates.get(worker.name)
        if rates is not None and rates.block_rate >= _BLOCKED:
            yield f"{rates.block_rate:.0%} of the products of {worker.name} were blocked lately: {Remedy.BLOCKED}."
        if rates is not None and rates.error_rate >= _FAILED:
            remedy = Remedy.FAILED.format(platform=ANY_PLATFORM)
            yield f"{rates.error_rate:.0%} of the products of {worker.name} failed lately: {remedy}."


def _on_pace(picture: FleetPicture) -> Iterator[str]:
    for pace in picture.paces:
        if pace.open_s:
            yield f"{pace.platform} is left alone for {pace.open_s:.0f} s after repeated blocks."
        elif pace.paused_s:
            yield f"{pace.platform} is paused for {pace.paused_s:.0f} s ({pace.why})."


def _on_revisits(picture: FleetPicture) -> Iterator[str]:
    for platform, (spared, visited) in picture.revisits.items():
        asked = spared + visited
        if asked >= _FEWEST_ASKED and spared < _POOR_HITS * asked:
            yield f"Of {asked} products of {platform} only {spared} were spared a visit: {Remedy.SELDOM_SPARED}."
