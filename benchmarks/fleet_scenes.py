"""The scenes of a simulated fleet: processes with workers (`fleet_worker`), an observer, and what Redis tells."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import cast

import redis

from benchmarks.fleet_ground import Fleet, batch_of, fill, redis_server
from benchmarks.fleet_worker import Counts, Engines, FleetWorker
from benchmarks.load_ground import snapshot
from pagemill.config.settings import QueueSettings
from pagemill.fleet.snapshot import publish, read_workers
from pagemill.intake.batch_job import open_queue, open_queues
from pagemill.intake.enqueue import put
from pagemill.intake.lost_batches import LostBatches
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.store import ResultStore
from pagemill.telemetry.logging import set_up_logging
from pagemill.worker import installed_engine
from pagemill.worker.worker import BatchWorker

SCENES = ("chores", "idle", "held", "work")
_NEVER_MS = 3_600_000
_START_S = 300.0
_OBSERVE_S = 0.2
_WATCHED = "20261128-000000-watched-ab12"
_THREADS = 32
"""That speak to Redis, in each process."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was measured, per second unless it says otherwise."""

    name: str
    seconds: float
    commands: float
    """That Redis carried out, those within scripts among them."""
    scripts: float
    cpu: float
    """Of one core."""
    memory_mb: float
    clients_mb: float
    clients: int
    look_p50_ms: float
    look_p99_ms: float
    """An observer's own looks for a batch, from asking to the answer."""
    looks: float
    visits: float
    batches: float
    errors: int
    late_p99_ms: float
    """By how much visits began later than they might have."""
    lag_p99_ms: float
    """Of the processes' loops."""
    calls: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By command: how often, and microseconds each."""


def work(orders: Connection, url: str, fleet: Fleet, numbers: Sequence[int], scene: str) -> None:
    """A process with some of the workers. Says when they are there; then `measure`, `tell` and `end` are its orders."""
    set_up_logging("json", "ERROR")
    threading.stack_size(512 * 1024)
    asyncio.run(_work(orders, url, fleet, numbers, scene))


async def _work(orders: Connection, url: str, fleet: Fleet, numbers: Sequence[int], scene: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    waiting = ThreadPoolExecutor(1)
    counts, engines = Counts(), Engines(loop)
    installed_engine.install(engines)
    workers = []
    for number in numbers:
        platforms = fleet.platforms(number % fleet.groups)
        worker = FleetWorker(number, url, platforms, engines, counts, fleet.visit_s)
        await asyncio.to_thread(worker.open)
        workers.append(worker)
    running = [asyncio.create_task(each.run(looks=scene != "chores")) for each in workers]
    running.append(asyncio.create_task(_notice_lag(counts)))
    orders.send("there")
    while (order := await loop.run_in_executor(waiting, orders.recv)) != "end":
        if order == "measure":
            counts.clear()
        else:
            orders.send(counts)
    for each in workers:
        each.stop()
    running.pop().cancel()
    await asyncio.wait(running, timeout=30)
    for each in workers:
        with suppress(redis.RedisError):
            await asyncio.to_thread(each.close)
    orders.send("gone")
    waiting.shutdown()


async def _notice_lag(counts: Counts) -> None:
    while True:
        began_s = time.monotonic()
        await asyncio.sleep(0.1)
        counts.lag_s.append(time.monotonic() - began_s - 0.1)


class Observer:
    """Looks for a batch again and again, from a process that does nothing else, and notes how long each answer took."""

    def __init__(self, client: redis.Redis, fleet: Fleet) -> None:
        names = [f"observed-{number}" for number in range(fleet.shops)]
        queues = [queue for name in names for queue in open_queues(client, name)]
        never = asyncio.new_event_loop()
        never.close()  # nothing is ever found
        self._worker = BatchWorker(queues, "observer", client, client, Engines(never), QueueSettings())
        self.took_s: list[float] = []

    def look_for(self, seconds: float) -> None:
        """So long."""
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            self._worker._taker.take()
            self.took_s.append(time.monotonic() - now_s)
            time.sleep(max(0.0, now_s + _OBSERVE_S - time.monotonic()))


def measure(name: str, program: str, fleet: Fleet, processes: int, warm_s: float, seconds: float) -> Scene:
    """One scene, on a fresh server."""
    if name == "held":  # each lane has made its first visit by the end of the time for warming up
        fleet = replace(fleet, wait_ms=f"{_NEVER_MS}-{_NEVER_MS}")
    with redis_server(program) as (url, client):
        if name in ("held", "work"):
            fill(client, fleet, warm_s + seconds)
        context = multiprocessing.get_context("spawn")
        children = []
        for place in range(processes):
            here, there = context.Pipe()
            numbers = range(place, fleet.workers, processes)
            child = context.Process(target=work, args=(there, url, fleet, numbers, name), daemon=True)
            child.start()
            there.close()
            children.append((child, here))
        try:
            for child, pipe in children:
                if not pipe.poll(_START_S):
                    raise RuntimeError(f"the workers were not there after {_START_S:.0f} s ({child.exitcode})")
                pipe.recv()
            time.sleep(warm_s)
            observer = Observer(client, fleet)
            for _, pipe in children:
                pipe.send("measure")
            client.config_resetstat()
            before_s = _cpu_s(client)
            began_s = time.monotonic()
            observer.look_for(seconds)
            took_s = time.monotonic() - began_s
            cpu_s, commands = _cpu_s(client) - before_s, client.info("commandstats")
            totals, memory, clients = client.info("stats"), client.info("memory"), client.info("clients")
            for _, pipe in children:
                pipe.send("tell")
            told = [cast(Counts, pipe.recv()) for _, pipe in children]
            for _, pipe in children:
                pipe.send("end")
            for child, pipe in children:
                if pipe.poll(_START_S):
                    pipe.recv()
                child.join(30)
        finally:
            for child, pipe in children:
                child.kill()
                child.join()
                child.close()
                pipe.close()
    calls = {
        key.removeprefix("cmdstat_"): (round(each["calls"] / took_s, 2), each["usec_per_call"])
        for key, each in commands.items()
    }
    late_s, lag_s = [s for each in told for s in each.late_s], [s for each in told for s in each.lag_s]
    return Scene(
        name=name,
        seconds=round(took_s, 1),
        commands=round(totals["total_commands_processed"] / took_s, 1),
        scripts=round(sum(calls.get(key, (0, 0))[0] for key in ("evalsha", "eval")), 1),
        cpu=round(cpu_s / took_s, 4),
        memory_mb=round(memory["used_memory"] / 2**20, 1),
        clients_mb=round(memory["mem_clients_normal"] / 2**20, 1),
        clients=clients["connected_clients"],
        look_p50_ms=_percentile(observer.took_s, 50),
        look_p99_ms=_percentile(observer.took_s, 99),
        looks=round(sum(each.looks for each in told) / took_s, 1),
        visits=round(sum(each.visits for each in told) / took_s, 1),
        batches=round(sum(each.batches for each in told) / took_s, 2),
        errors=sum(each.errors for each in told),
        late_p99_ms=_percentile(late_s, 99),
        lag_p99_ms=_percentile(lag_s, 99),
        calls=calls,
    )


def _percentile(seconds: list[float], share: int) -> float:
    if len(seconds) < 2:
        return 0.0
    return round(statistics.quantiles(seconds, n=100)[share - 1] * 1000, 2)


@dataclass(frozen=True, slots=True)
class Watching:
    """What one look of the control API at the fleet costs Redis, with so many batches on the queue."""

    waiting: int
    workers: int
    took_ms: float
    cpu_ms: float
    search_cpu_ms: float
    """What one look in a minute takes more: it walks over all keys, for workers of an older pagemill."""
    queue_mb: float
    lost_ms: float
    """What one look for lost batches takes, if it comes to the end; the database is SQLite."""
    lost_cpu_ms: float
    """Of Redis, therein."""
    left_ms: float
    """What the database takes to count the batches of each run, for whoever asks for stranded runs."""


def watch(program: str, fleet: Fleet, waiting: int) -> Watching:
    """Reads the snapshots of the workers out of a Redis that holds batches too, and looks for lost ones."""
    with (
        redis_server(program) as (_, client),
        tempfile.TemporaryDirectory(prefix="fleet-load-") as folder,
        ResultStore(f"sqlite:///{folder}/r.db") as store,
    ):
        asked, state = AskedBatches(store), NOTHING
        empty = client.info("memory")["used_memory"]
        platform = fleet.platforms(0)[0]
        queue = open_queue(client, platform.platform)
        store.create_run(_WATCHED, platform.platform, "watched")
        for start in range(0, waiting, 40):
            batches = [batch_of(_WATCHED, start + each, platform.platform, 50) for each in range(40)]
            reached = Reached(start + 40, (start + 40) * 50, batches[-1].products[-1].id)
            asked.note(batches, state, reached)
            state = reached
            put(queue, batches, platform, QueueSettings())
        queue_mb = (client.info("memory")["used_memory"] - empty) / 2**20
        for number in range(fleet.workers):
            publish(client, snapshot(number, (platform.platform,), number))
        rounds, before_s = 20, _cpu_s(client)
        read_workers(client)
        first_s = _cpu_s(client) - before_s
        before_s, began_s = _cpu_s(client), time.monotonic()
        for _ in range(rounds):
            found = len(read_workers(client))
        took_s, cpu_s = time.monotonic() - began_s, _cpu_s(client) - before_s
        lost = LostBatches(asked, client, lambda: {platform.platform: platform}, QueueSettings(), "watching")
        before_s, began_s = _cpu_s(client), time.monotonic()
        if lost.look() or lost._walked is not None or lost._missed:
            raise RuntimeError("the look for lost batches did not come to its end")
        lost_s, lost_cpu_s = time.monotonic() - began_s, _cpu_s(client) - before_s
        began_s = time.monotonic()
        asked.left()
        left_s = time.monotonic() - began_s
    return Watching(
        waiting=waiting,
        workers=found,
        took_ms=round(took_s / rounds * 1000, 1),
        cpu_ms=round(cpu_s / rounds * 1000, 2),
        search_cpu_ms=round((first_s - cpu_s / rounds) * 1000, 1),
        queue_mb=round(queue_mb, 1),
        lost_ms=round(lost_s * 1000, 1),
        lost_cpu_ms=round(lost_cpu_s * 1000, 1),
        left_ms=round(left_s * 1000, 1),
    )


def _cpu_s(client: redis.Redis) -> float:
    used = client.info("cpu")
    return float(used["used_cpu_sys"] + used["used_cpu_user"])
