"""The metrics that an alert rule may name. The list is closed: a misspelt name is an error, not a rule that never
fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator

from pagemill.config.mistakes import Mistake
from pagemill.config.remedies import Remedy


@dataclass(frozen=True, slots=True)
class Meaning:
    """One metric: the beginning of an alert's sentence, its unit, and the end: the remedy that helps most often."""

    text: str
    unit: str = ""
    remedy: Remedy | None = None
    is_forecast: bool = False


METRICS: Mapping[str, Meaning] = MappingProxyType(
    {
        # Of each worker.
        "memory_percent": Meaning(
            "memory of the worker's process tree, of what it may use", "%", Remedy.SHORT_OF_MEMORY
        ),
        "cgroup_percent": Meaning("memory of the worker's container, of its limit", "%", Remedy.SHORT_OF_MEMORY),
        "shm_percent": Meaning("shared memory (/dev/shm) of the worker's container", "%", Remedy.SHORT_OF_SHM),
        "js_heap_percent": Meaning("JavaScript heap of the largest page, of its limit", "%"),
        "cpu_percent": Meaning(
            "CPU time of the worker's process tree, of the cores that it may use", "%", Remedy.SHORT_OF_CPU
        ),
        "loop_lag_ms": Meaning(
            "longest lag of the worker's event loop between two measurements", "ms", Remedy.SHORT_OF_CPU
        ),
        "gc_percent": Meaning("share of time that Python's collector takes", "%", Remedy.COLLECTING),
        "item_ms": Meaning("mean time of a product in the last 5 minutes", "ms", Remedy.SLOW),
        "memory_minutes_left": Meaning(
            "time until memory is full at its present slope", "minutes", Remedy.SHORT_OF_MEMORY, is_forecast=True
        ),
        "python_objects_growth": Meaning("increase of Python's objects in 10 minutes", remedy=Remedy.COLLECTING),
        "oom_kills": Meaning("processes that the kernel killed for memory in 10 minutes", remedy=Remedy.OOM_KILLED),
        "silent_s": Meaning("time since the worker's last sign of life", "s", Remedy.SILENT),
        # Of each platform, for the whole fleet.
        "error_rate": Meaning("share of failed products in the last 5 minutes", remedy=Remedy.FAILED),
        "block_rate": Meaning("share of blocked products in the last 5 minutes", remedy=Remedy.BLOCKED),
        "timeouts": Meaning("visits of the last 5 minutes that took longer than they may", remedy=Remedy.RETRIED),
        "stranded_batches": Meaning("batches that no worker takes, or that the queue has lost", remedy=Remedy.STRANDED),
        "broken_off_runs": Meaning("runs of the last hour whose enqueueing broke off", remedy=Remedy.STRANDED),
        "queue_stuck_s": Meaning("time for which batches have waited and none was finished", "s", Remedy.STUCK),
    }
)
"""Every metric. The shares are from 0 to 1; a paused platform's queue is not stuck."""


def _check_metric(value: str) -> str:
    if value not in METRICS:
        near = get_close_matches(value, METRICS, n=1)
        remedy = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(METRICS)}"
        raise Mistake(f"{value!r} is not a metric", remedy)
    return value


Metric = Annotated[str, AfterValidator(_check_metric)]
