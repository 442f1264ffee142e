"""The measures: numbers about one worker that alert rules watch, the history keeps and the dashboard charts.

A new measure needs a row here, and a row with its meaning in `config.alert_metrics.METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType

from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.guard.probe import Sample


@dataclass(frozen=True, slots=True)
class Measure:
    """How one number is read, and how several measurements of it are combined."""

    of: Callable[[WorkerSnapshot], float | None]
    """Reads the number; `None` if it is unknown."""
    highest: bool = False
    """Whether several measurements are combined to the highest one, and not to their mean."""


def _sampled(of: Callable[[Sample], float | None]) -> Callable[[WorkerSnapshot], float | None]:
    return lambda worker: of(worker.sample) if worker.sample is not None else None


def _js_heap_percent(worker: WorkerSnapshot) -> float | None:
    if worker.sample is None or worker.sample.largest_js_heap_mb is None or worker.limits is None:
        return None
    return 100 * worker.sample.largest_js_heap_mb / worker.limits.js_heap_mb


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "memory_percent": Measure(_sampled(lambda sample: sample.memory_percent)),
        "cgroup_percent": Measure(_sampled(lambda sample: sample.cgroup_percent)),
        "shm_percent": Measure(_sampled(lambda sample: sample.shm_percent)),
        "js_heap_percent": Measure(_js_heap_percent),
        "cpu_percent": Measure(lambda worker: worker.cpu_percent),
        "loop_lag_ms": Measure(_sampled(lambda sample: sample.loop_lag_s * 1000), highest=True),
        "gc_percent": Measure(lambda worker: worker.collector.cpu_percent),
    }
)


def measures_of(worker: WorkerSnapshot) -> dict[str, float]:
    """The known measures of a worker, by name."""
    found = {name: measure.of(worker) for name, measure in MEASURES.items()}
    return {name: round(value, 2) for name, value in found.items() if value is not None}


def over_time(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Combines several measurements of one worker: of each measure the mean, or the highest value."""
    values: dict[str, list[float]] = {}
    for measured in several:
        for name, value in measured.items():
            values.setdefault(name, []).append(value)
    return {name: max(each) if _is_highest(name) else round(fmean(each), 2) for name, each in values.items()}


def _is_highest(name: str) -> bool:
    """Whether the highest value counts. Unknown measures, which another release may publish, count with their mean."""
    return name in MEASURES and MEASURES[name].highest


def over_workers(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Combines the measures of several workers: the highest value of each measure."""
    names = {name for measured in several for name in measured}
    return {name: max(measured[name] for measured in several if name in measured) for name in sorted(names)}
