"""What the control API is asked about under load: a fleet in Redis with a week behind it, and a database of runs.

Everything is as workers and lanes write it; only their moments are of the past.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from redis import Redis

from pagemill.alerting.alert import Alert
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.config.changeable import changeable_values
from pagemill.config.settings import Config, GuardSettings
from pagemill.fleet.event_log import write_events
from pagemill.fleet.history import RESOLUTIONS, HistoryWriter, Point, Resolution
from pagemill.fleet.snapshot import AtWork, WorkerSnapshot, publish
from pagemill.fleet.tally import BUCKETS_S, PlatformTally
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats, PythonMemory
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import ConnectionCounts, Difference, ItemResult, Product, Verdict
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.event_buffer import BufferedEvent

_POINT = TypeAdapter(Point)
_MOST_OF_KIND = 20_000
"""As many as are kept."""
_FINE_S = 5.0
_PUBLISH_S = 2.0
_VERDICTS = (*[Verdict.OK] * 16, Verdict.CHANGED, Verdict.CHANGED, Verdict.SOLD_OUT, Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    workers: int = 20
    runs: int = 20
    products: int = 2000
    """Of each run but the latest."""
    latest_products: int = 20_000
    waiting: int = 5000
    """Products on the queue."""


def fill(redis: Redis, store: ResultStore, config: Config, size: Size) -> None:
    """The past: measurements of a week, events, alerts, runs with results, and batches that wait."""
    names = [_name(number) for number in range(size.workers)]
    now = datetime.now(UTC)
    for kind in RESOLUTIONS:
        _write_history(redis, kind, names, now)
    for number in range(1000):
        facts: dict[str, str | int | float | bool | None] = {"reason": "uses", "uses": 1000 + number, "pid": number}
        told = BufferedEvent(events.BROWSER_ROTATION, "info", (now - timedelta(minutes=number)).isoformat(), facts)
        write_events(redis, names[number % size.workers], [told])
    desk = AlertDesk(redis, GuardSettings().alerts, names[0])
    for number in range(100):
        desk.raise_by_rule(Alert(f"load-{number}", "warning", "memory is short", names[0], now))
    platforms = sorted(config.platforms)
    for number in range(size.runs):
        is_latest = number == size.runs - 1
        _write_run(
            store, platforms[number % len(platforms)], number, size.latest_products if is_latest else size.products
        )
    enqueue_run(
        (
            Product(f"w{number}", f"https://{config.platforms[platforms[0]].hosts[0]}/{number}")
            for number in range(size.waiting)
        ),
        config.platforms[platforms[0]],
        source="load",
        batch_size=50,
        settings=config.settings.queue,
        redis=redis,
        store=store,
    )


@contextmanager
def working(redis: Redis, config: Config, size: Size) -> Iterator[None]:
    """The present: every worker publishes and measures, again and again, until the end of the block."""
    over = threading.Event()
    platforms = tuple(sorted(config.platforms))

    def work() -> None:
        writers = [HistoryWriter(redis, lambda: datetime.now(UTC).timestamp()) for _ in range(size.workers)]
        count = 0
        while True:
            for number, writer in enumerate(writers):
                publish(redis, snapshot(number, platforms, count))
                writer.add(point(_name(number), 100_000 + count))
            count += 1
            if over.wait(_PUBLISH_S):
                return

    thread = threading.Thread(target=work, name="fleet", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def snapshot(number: int, platforms: tuple[str, ...], count: int) -> WorkerSnapshot:
    """One worker that tells all that a worker can tell."""
    roles = {
        "python": 120.0,
        "driver": 0.0,
        "browser": 160.0,
        "renderers": 320.0 + count % 7,
        "gpu": 30.0,
        "utility": 40.0,
    }
    tally = PlatformTally(
        verdicts={"ok": 900 + count, "changed": 70, "sold_out": 20, "failed": 5},
        attempts=1010,
        spared=100,
        item_s=450.0,
        buckets=(0, 100, 500, 200, 95, *[0] * (len(BUCKETS_S) - 4)),
        wait_s=1200.0,
    )
    return WorkerSnapshot(
        name=_name(number),
        pid=1000 + number,
        host=f"machine-{number // 4}",
        platforms=platforms,
        lanes=3,
        size=4,
        pss_mb=sum(roles.values()),
        peak_pss_mb=800.0,
        leases=1200 + count,
        rotations={"page": 120, "context": 24, "browser": 1},
        reasons={"page uses": 120, "context uses": 24, "browser uses": 1},
        started_at=datetime.now(UTC) - timedelta(hours=12),
        batches=(AtWork("run", "b00001", platforms[0], 10, 50),),
        sample=Sample(
            rss_mb=120.0,
            pss_mb=roles,
            shm_percent=10.0,
            cgroup_percent=40.0,
            memory_percent=40.0 + count % 5,
            machine_percent=30.0,
            descriptors=50,
            processes=dict.fromkeys(roles, 1),
            python=PythonMemory(80.0, 5.0, 500_000),
            js_heap_mb=90.0,
            largest_js_heap_mb=30.0,
            loop_lag_s=0.004,
            cpu_s=33.5 + count,
        ),
        cpu_percent=25.0,
        collector=CollectorStats((1000, 100, 10), 0.5, 30.0, 1.5),
        limits=PressureLimits(2000.0, 512.0, 200.0, 500.0, 10.0),
        guard=changeable_values(GuardSettings()),
        caches={"visited products": 150},
        cleanings=5,
        tally=dict.fromkeys(platforms, tally),
        connections={"redis": ConnectionCounts(2, 3, 200), "database": ConnectionCounts(1, 4, 15)},
    )


def _name(number: int) -> str:
    return f"machine-{number // 4}-{1000 + number}-ab{number:02}"


def point(worker: str, items: int) -> Point:
    """One measurement of such a worker."""
    return Point(
        worker=worker,
        pss_mb={"python": 120.0, "browser": 160.0, "renderers": 300.0 + items % 50, "gpu": 30.0, "utility": 40.0},
        rss_mb=120.0,
        js_heap_mb=90.0,
        measures={
            "memory_percent": 40.0,
            "cgroup_percent": 40.0,
            "shm_percent": 10.0,
            "cpu_percent": 25.0,
            "loop_lag_ms": 4.0,
            "gc_percent": 1.5,
        },
        machine_percent=30.0,
        blocks=500_000,
        lanes=3,
        items=items,
        visited=items,
        failed=items // 200,
        item_s=items / 2,
        rotations={"page": items // 10, "context": items // 50},
    )


def _write_history(redis: Redis, kind: Resolution, workers: list[str], now: datetime) -> None:
    """As many measurements as are kept, the oldest first, as a stream wants them."""
    step_s = kind.span_s or _FINE_S
    reaches_s = min(kind.kept_s, step_s * (_MOST_OF_KIND // len(workers)))
    moments = int(reaches_s / step_s)
    with redis.pipeline(transaction=False) as pipeline:
        for number in range(moments):
            at_ms = round((now.timestamp() - (moments - number) * step_s) * 1000)
            for place, worker in enumerate(workers):
                body = _POINT.dump_json(point(worker, number * 10), exclude_defaults=True)
                pipeline.xadd(kind.key, {"point": body}, id=f"{at_ms}-{place}")
            if number % 50 == 0:
                pipeline.execute()
        pipeline.execute()


def _write_run(store: ResultStore, platform: str, number: int, products: int) -> None:
    chance = random.Random(number)
    run = f"20261120-{number:06}-{platform}-{secrets.token_hex(2)}"
    store.create_run(run, platform, f"{platform}.csv")
    begun = datetime.now(UTC) - timedelta(hours=6)
    some: list[ItemResult] = []
    for product in range(products):
        some.append(result_of(run, platform, product, chance, begun))
        if len(some) == 1000:
            store.write(some)
            some = []
    if some:
        store.write(some)
    store.seal_run(run, products, products // 50, 0)


def result_of(run: str, platform: str, product: int, chance: random.Random, begun: datetime) -> ItemResult:
    """One of a run's results, as long as those of a real shop."""
    started = begun + timedelta(seconds=product)
    verdict = chance.choice(_VERDICTS)
    return ItemResult(
        run=run,
        batch=f"b{product // 50:05}",
        product_id=f"P{product:06}",
        url=f"https://www.{platform}.test/products/{product}",
        platform=platform,
        verdict=verdict,
        reason="price: 12900 -> 9900" if verdict is Verdict.CHANGED else "",
        differences=(Difference("price", 12900, 9900),) if verdict is Verdict.CHANGED else (),
        facts={
            "name": f"오버핏 셔츠 {product}",
            "price": 12900,
            "in_stock": True,
            "image": f"/img/{product}.jpg",
        },
        attempts=1,
        started_at=started,
        finished_at=started + timedelta(seconds=chance.uniform(0.2, 3)),
        worker=_name(product % 20),
    )
