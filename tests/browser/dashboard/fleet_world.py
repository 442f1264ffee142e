"""A fleet without workers: what three of them would publish, written into a real Redis."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from redis import Redis

from pagemill.alerting.alert import Alert, encode
from pagemill.alerting.history import FIELD, STREAM
from pagemill.fleet.event_log import write_events
from pagemill.fleet.history import FINE, MINUTES, QUARTERS, Point, Resolution
from pagemill.fleet.processes import API, SCHEDULER, SUPERVISOR, ProcessSnapshot
from pagemill.fleet.processes import PREFIX as PROCESS_PREFIX
from pagemill.fleet.processes import publish as publish_process
from pagemill.fleet.snapshot import KEPT_S, PREFIX, AtWork, WorkerSnapshot, publish
from pagemill.fleet.tally import PlatformTally
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats, PythonMemory
from pagemill.model import Verdict
from pagemill.telemetry.event_buffer import BufferedEvent

WORKERS = ("vm-7307-3d1d", "vm-7311-90aa", "vm-8020-c4f0")
PLATFORMS = ("ably", "musinsa", "zigzag")
_POINT = TypeAdapter(Point)
_SNAPSHOT = TypeAdapter(WorkerSnapshot)


class FleetWorld:
    """Writes what workers write. Moments are taken from Redis, as the readers take them."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.now_s = float(redis.time()[0])

    def build(self) -> None:
        """Two workers that work, one that fell silent, a day behind them."""
        for kind, step_s, span_s in ((QUARTERS, 900, 86400.0), (MINUTES, 60, 86400.0), (FINE, 15, 3600.0)):
            self._past(kind, step_s, span_s)
        for name in WORKERS[:2]:
            publish(self.redis, self.worker(name))
        self.silence(WORKERS[2])
        self._processes()
        self._happenings()
        self.alert("memory-warning", "warning", "Memory of vm-7311-90aa has been above 70 % for 60 s", ago_s=600)
        self.alert("heartbeat-lost", "critical", f"{WORKERS[2]} has not been heard of for 95 s", ago_s=90)

    def worker(self, name: str) -> WorkerSnapshot:
        """One that works; the second has less memory left than the first."""
        second = name == WORKERS[1]
        sizes = {"python": 118.0, "driver": 96.0, "browser": 142.0, "renderers": 410.0 + 330 * second, "gpu": 48.0}
        total = sum(sizes.values())
        return WorkerSnapshot(
            name=name,
            pid=7307,
            host="vm",
            platforms=PLATFORMS,
            lanes=3 + second,
            size=4,
            pss_mb=total,
            peak_pss_mb=total + 120,
            leases=18233,
            rotations={"page": 1823, "context": 364, "browser": 18, "driver": 3},
            pressure="warning" if second else "normal",
            pressure_reason="memory" if second else "",
            reasons={"page uses": 1800, "page error": 23, "browser uses": 15, "browser age": 3},
            started_at=datetime.now(UTC) - timedelta(hours=9),
            batches=(AtWork("20261121-021040-musinsa-0862", "b00012", PLATFORMS[1], 37, 100),),
            sample=self._sample(sizes),
            cpu_percent=41.0,
            collector=CollectorStats((900, 80, 7), 1.2, 9.0, 0.8),
            limits=PressureLimits(1536, 512, 512, 512, 5),
            tally=self.tally(),
        )

    def tally(self) -> dict[str, PlatformTally]:
        """What each has done."""
        counts = {
            "ably": (4100, 310, 425, 80, 61, 12, 9),
            "musinsa": (9400, 1200, 700, 200, 150, 40, 31),
            "zigzag": (620, 55, 40, 0, 12, 310, 18),
        }
        by_verdict = {
            name: dict(zip((verdict.value for verdict in Verdict), numbers, strict=True))
            for name, numbers in counts.items()
        }
        return {
            name: PlatformTally(verdicts, sum(verdicts.values()) + 40, 0, 2.1 * sum(verdicts.values()), wait_s=4200.0)
            for name, verdicts in by_verdict.items()
        }

    def silence(self, name: str, silent_s: float = 95) -> None:
        """Publishes one that has not been heard of since."""
        body = _SNAPSHOT.dump_json(replace(self.worker(name), batches=(), lanes=0))
        self.redis.set(PREFIX + name, body, px=round((KEPT_S - silent_s) * 1000))

    def _processes(self) -> None:
        """Two schedulers, an API, a supervisor, and a scheduler that fell silent."""
        started_at = datetime.now(UTC) - timedelta(hours=9)
        for name, role, rss_mb, leads in (
            ("vm-7101-0c1e", SCHEDULER, 96.4, True),
            ("vm-7102-77b0", SCHEDULER, 95.9, False),
            ("vm-7103-19aa", SCHEDULER, 95.0, False),
            ("vm-7201-55d2", API, 131.0, None),
            ("vm-7301-e4f0", SUPERVISOR, 88.2, None),
        ):
            publish_process(
                self.redis,
                ProcessSnapshot(name, role, 7101, "vm", started_at, rss_mb, rss_mb - 15, 0.4, 14, leads),
            )
        self.redis.pexpire(f"{PROCESS_PREFIX}vm-7103-19aa", round((KEPT_S - 95) * 1000))

    def alert(self, name: str, level: str, message: str, *, ago_s: float = 0, scope: str = "") -> None:
        """Adds one, as the desk does."""
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        alert = Alert(name, level, message, "" if scope else WORKERS[0], at, scope, {}, f"{name}-{ago_s:g}")
        self.redis.xadd(STREAM, {FIELD: encode(alert)})

    def point(self, name: str, at_s: float) -> Point:
        """A measurement: memory that rises from rotation to rotation, as it does."""
        offset = WORKERS.index(name) * 700
        age_s = (at_s + offset) % 2400
        done = int((at_s - self.now_s + 90000) * 0.9)
        wave = 1 + 0.25 * math.sin((at_s + offset) / 500)
        return Point(
            worker=name,
            pss_mb={
                "python": 110.0 + 8 * math.sin(at_s / 3000),
                "driver": 80.0 + age_s / 120,
                "browser": 138.0,
                "renderers": round(230 + age_s / 8 + 40 * wave, 1),
                "gpu": 48.0,
            },
            rss_mb=150,
            measures={"memory_percent": round(35 + age_s / 100, 1), "cpu_percent": 38 + 10 * wave},
            lanes=round(3 * wave, 1),
            items=done,
            visited=done,
            item_s=2.2 * done,
            rotations={"page": done // 10, "context": done // 50, "browser": done // 1000},
        )

    def _past(self, kind: Resolution, step_s: int, span_s: float) -> None:
        first = int(self.now_s - span_s)
        with self.redis.pipeline(transaction=False) as pipeline:
            for at_s in range(first - first % step_s + step_s, int(self.now_s), step_s):
                for number, name in enumerate(WORKERS):
                    if name == WORKERS[2] and at_s > self.now_s - 95:
                        continue
                    body = _POINT.dump_json(self.point(name, at_s), exclude_defaults=True)
                    pipeline.xadd(kind.key, {"point": body}, id=f"{at_s * 1000 + number}-0")
            pipeline.expire(kind.key, 86400)
            pipeline.execute()

    def measure(self, **sizes: float) -> None:
        """A measurement of the first worker, now."""
        point = replace(self.point(WORKERS[0], self.now_s), pss_mb=sizes)
        self.redis.xadd(FINE.key, {"point": _POINT.dump_json(point, exclude_defaults=True)})

    def _happenings(self) -> None:
        told: list[tuple[float, str, str, str, dict[str, object]]] = []
        for number in range(14):
            told.append(
                (3500 - number * 240, WORKERS[number % 3], "Context Rotation", "info", {"reason": "uses", "uses": 50})
            )
        for number, name in enumerate(WORKERS):
            facts = {"reason": "uses", "uses": 1000, "age_s": 2380, "freed_mb": 290}
            told.append((2100 - 610 * number, name, "Browser Rotation", "info", facts))
        told.append((1300, WORKERS[0], "Driver Rotation", "info", {"reason": "age", "age_s": 14400}))
        told.append((2900, WORKERS[1], "Worker Started", "info", {}))
        told.append((1500, WORKERS[1], "Pressure", "warning", {"level": "warning", "reason": "memory"}))
        told.append((800, WORKERS[1], "Platform Paused", "warning", {"platform": "zigzag", "reason": "429"}))
        for ago_s, worker, event, level, facts in sorted(told, key=lambda each: -each[0]):
            at = (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat().replace("+00:00", "Z")
            kept = json.loads(json.dumps(facts))
            write_events(self.redis, worker, [BufferedEvent(event, level, at, kept)])

    def _sample(self, sizes: dict[str, float]) -> Sample:
        total = sum(sizes.values())
        return Sample(
            rss_mb=150,
            pss_mb=sizes,
            shm_percent=12.0,
            cgroup_percent=48.0,
            memory_percent=round(total / 15.36, 1),
            machine_percent=40.0,
            descriptors=88,
            python=PythonMemory(70.0, 5.0, 400_000),
            js_heap_mb=120.0,
            loop_lag_s=0.004,
            cpu_s=9000.0,
        )
