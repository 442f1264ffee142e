"""One run of one real worker on the practice shop, and what is known of it afterwards.

Owns starting everything, ending it by process id whatever happens, and reading log and results back. Judges nothing.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import ItemResult
from pagemill.telemetry import events
from tests.e2e.workplace import Workplace

PLATFORM = "demo-hydrated"
_NEVER = 1_000_000_000
_WITHOUT_ROTATION: dict[str, dict[str, Any]] = {
    "pool": {
        "browser_max_uses": _NEVER,
        "driver_max_uses": _NEVER,
        "browser_max_mb": _NEVER,
        "driver_max_mb": _NEVER,
        "page_max_age_s": _NEVER,
        "context_max_age_s": _NEVER,
        "browser_max_age_s": _NEVER,
        "driver_max_age_s": _NEVER,
    },
    # The guard would rotate as well, for its own reasons.
    "guard": {
        "js_heap_limit_mb": 4096,
        "renderer_limit_mb": _NEVER,
        "browser_limit_mb": _NEVER,
        "memory_limit_mb": _NEVER,
        "cleanup_interval_s": _NEVER,
    },
}
_LEAST_AVAILABLE = 0.15
"""Share of the machine's memory that must stay free: a run without rotation ends before the machine does."""
_LOOK_S = 0.5
_DRAIN_S = 20.0
_ROTATIONS = {
    events.PAGE_ROTATION: "page",
    events.CONTEXT_ROTATION: "context",
    events.BROWSER_ROTATION: "browser",
    events.DRIVER_ROTATION: "driver",
}
LEVELS = tuple(_ROTATIONS.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do. Without rotation nothing is ever replaced, neither by count, age nor size."""

    products: int
    lanes: int = 4
    leak_kb: int = 400
    weight: str = "normal"
    """Of the shop's pages, see docs/storefront.md."""
    rotates: bool = True
    page_uses: int = 10
    context_uses: int = 50
    deadline_s: float = 3600.0
    sample_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One measurement of the worker's processes: PSS by role, and how many lanes held a page."""

    at_s: float
    pss_mb: Mapping[str, float]
    lanes: int

    @property
    def total_mb(self) -> float:
        """All roles together."""
        return sum(self.pss_mb.values())


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went. Times are seconds since the first visit began."""

    plan: Plan
    finished_s: tuple[float, ...]
    """When each product's result was there, rising."""
    samples: tuple[MemorySample, ...]
    rotations: Mapping[str, tuple[float, ...]]
    """By level: when."""
    timeouts: int
    missing: int
    wrong: tuple[str, ...]
    """Products with a verdict that is not right, and results of products that were not asked for."""
    ended: str
    """Empty when the worker ended by itself and well; otherwise what happened."""


def carry_out(plan: Plan, shop: StorefrontProcess, place: Workplace) -> Course:
    """Enqueues the plan's products, lets one worker work them off, and tells how it went. The shop is not ended."""
    workflow = {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": plan.lanes}}
    sections = {} if plan.rotates else _WITHOUT_ROTATION
    uses = (plan.page_uses, plan.context_uses) if plan.rotates else (_NEVER, _NEVER)
    place.platform(PLATFORM, workflow=workflow, rotation=dict(zip(("page", "context"), uses, strict=True)))
    guard = {**sections.get("guard", {}), "sample_interval_s": plan.sample_interval_s}
    place.settings(**{**sections, "guard": guard})
    rows = list(generate(PLATFORM, shop.base_url, plan.products, leak_kb=plan.leak_kb, weight=plan.weight))
    run = place.enqueue(PLATFORM, rows)
    with place.worker("--burst", "--platform", PLATFORM) as worker:
        try:
            ended = _watch(worker, plan.deadline_s)
        finally:
            _end(worker)
    return _read(plan, place, rows, place.results(run), ended)


def _watch(worker: subprocess.Popen[bytes], deadline_s: float) -> str:
    """Waits for the worker's end; what was wrong with it, or with waiting longer."""
    until_s = time.monotonic() + deadline_s
    while worker.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(_LOOK_S)
        memory = psutil.virtual_memory()
        if memory.available < _LEAST_AVAILABLE * memory.total:
            return "stopped: the machine's memory ran short"
        if time.monotonic() > until_s:
            return f"stopped: not done within {deadline_s:g} s"
    return f"the worker ended with code {worker.returncode}" if worker.returncode else ""


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Asks the worker to drain; kills it with everything below it where that takes too long."""
    if worker.poll() is not None:
        return
    below = psutil.Process(worker.pid).children(recursive=True)
    worker.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(_DRAIN_S)
        return
    worker.kill()
    worker.wait()
    for process in below:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _read(plan: Plan, place: Workplace, rows: list[CatalogueRow], results: list[ItemResult], ended: str) -> Course:
    if not results:
        last_words = place.log.read_text().splitlines()[-1:]
        raise RuntimeError(f"no product has a result; {ended}; the log ends with {last_words}")
    start_s = min(result.started_at for result in results).timestamp()
    verdicts = {result.product_id: result.verdict for result in results}
    asked = {row.product.id: row for row in rows}
    wrong = [
        f"{name}: {verdict}" for name, verdict in verdicts.items() if name in asked and not asked[name].accepts(verdict)
    ]
    wrong += [f"{name}: was not asked for" for name in sorted(verdicts.keys() - asked.keys())]
    samples: list[MemorySample] = []
    rotations: dict[str, list[float]] = {level: [] for level in LEVELS}
    timeouts = 0
    for record in _records(place.log):
        event = record.get("event")
        at_s = datetime.fromisoformat(record["timestamp"]).timestamp() - start_s
        if event == events.MEMORY:
            samples.append(MemorySample(at_s, record["pss_mb"], record["lanes"]))
        elif event == events.TIMEOUT:
            timeouts += 1
        elif event in _ROTATIONS:
            rotations[_ROTATIONS[event]].append(at_s)
    return Course(
        plan=plan,
        finished_s=tuple(sorted(result.finished_at.timestamp() - start_s for result in results)),
        samples=tuple(samples),
        rotations={level: tuple(times) for level, times in rotations.items()},
        timeouts=timeouts,
        missing=len(asked.keys() - verdicts.keys()),
        wrong=tuple(wrong),
        ended=ended,
    )


def _records(log: Path) -> Iterator[dict[str, Any]]:
    with log.open(encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("{"):
                yield json.loads(line)
