"""One run of one real worker on the practice shop, and what is known of it afterwards.

Owns starting everything, ending it by process id whatever happens, and reading log and results back. Judges nothing.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
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
ROTATIONS = {
    events.PAGE_ROTATION: "page",
    events.CONTEXT_ROTATION: "context",
    events.BROWSER_ROTATION: "browser",
    events.DRIVER_ROTATION: "driver",
}
LEVELS = tuple(ROTATIONS.values())


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
    turns: int = 0
    """How often a fresh worker takes a turn beside this one, see `soak_turns`."""


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
class FreshTurn:
    """Two workers on the same products, one right after the other: the one of this run, and a fresh one."""

    done: int
    """How many products the old one has done by then."""
    old_per_s: float
    fresh_per_s: float


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went. Times are seconds of work since the first visit began: waits for a fresh worker are left out."""

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
    turns: tuple[FreshTurn, ...] = ()


def carry_out(plan: Plan, shop: StorefrontProcess, place: Workplace) -> Course:
    """Enqueues the plan's products, lets one worker work them off, and tells how it went. The shop is not ended."""
    set_up(plan, place)
    rows = list(generate(PLATFORM, shop.base_url, plan.products, leak_kb=plan.leak_kb, weight=plan.weight))
    run = place.enqueue(PLATFORM, rows)
    with place.worker("--burst", "--platform", PLATFORM) as worker:
        try:
            ended = _watch(worker, plan.deadline_s)
        finally:
            end(worker)
    return read(plan, place, rows, place.results(run), ended)


def set_up(plan: Plan, place: Workplace) -> None:
    """Writes the configuration of a plan."""
    workflow = {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": plan.lanes}}
    sections = {} if plan.rotates else _WITHOUT_ROTATION
    uses = (plan.page_uses, plan.context_uses) if plan.rotates else (_NEVER, _NEVER)
    place.platform(PLATFORM, workflow=workflow, rotation=dict(zip(("page", "context"), uses, strict=True)))
    guard = {**sections.get("guard", {}), "sample_interval_s": plan.sample_interval_s}
    place.settings(**{**sections, "guard": guard})


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


def end(worker: subprocess.Popen[bytes]) -> None:
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


def read(
    plan: Plan,
    place: Workplace,
    rows: list[CatalogueRow],
    results: list[ItemResult],
    ended: str,
    pauses: Sequence[tuple[float, float]] = (),
    turns: Sequence[FreshTurn] = (),
) -> Course:
    """What is known of a run afterwards; `pauses` are the seconds of the epoch between which nothing was to be done.

    Raises:
        RuntimeError: no product has a result.
    """
    if not results:
        last_words = place.log.read_text().splitlines()[-1:]
        raise RuntimeError(f"no product has a result; {ended}; the log ends with {last_words}")
    first_s = min(result.started_at for result in results).timestamp()

    def worked_s(at: datetime) -> float:
        at_s = at.timestamp()
        return at_s - first_s - sum(max(0.0, min(until_s, at_s) - since_s) for since_s, until_s in pauses)

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
        at = datetime.fromisoformat(record["timestamp"])
        at_s = worked_s(at)
        if event == events.MEMORY and "lanes" in record:
            if any(since_s <= at.timestamp() <= until_s for since_s, until_s in pauses):
                continue
            samples.append(MemorySample(at_s, record["pss_mb"], record["lanes"]))
        elif event == events.TIMEOUT:
            timeouts += 1
        elif event in ROTATIONS:
            rotations[ROTATIONS[event]].append(at_s)
    return Course(
        plan=plan,
        finished_s=tuple(sorted(worked_s(result.finished_at) for result in results)),
        samples=tuple(samples),
        rotations={level: tuple(times) for level, times in rotations.items()},
        timeouts=timeouts,
        missing=len(asked.keys() - verdicts.keys()),
        wrong=tuple(wrong),
        ended=ended,
        turns=tuple(turns),
    )


def _records(log: Path) -> Iterator[dict[str, Any]]:
    with log.open(encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("{"):
                yield json.loads(line)
