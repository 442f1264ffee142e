"""A run under whose workers Redis is emptied again and again: is anything lost or doubled, and is it told each time?

`python -m benchmarks.emptied_redis` queues 2,000 products of the practice shop for two worker processes with real
browsers, and empties Redis at five random moments: by FLUSHALL, or with `--how killed` by SIGKILL and the removal of
its files. Results go to SQLite, or to the PostgreSQL that `--database` names.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.chaos_redis import RedisServer
from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.intake.enqueue import enqueue_run
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.e2e.workplace import Workplace

PLATFORM = "demo-hydrated"
WAYS = ("flushed", "killed")
_TOLD_S = 60.0
_END_S = 240.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Emptied:
    """One time."""

    done: int
    """Products that had their result."""
    told_s: float
    """From then until the log had it that batches were put back."""
    batches: int
    """How many those were, by the time of the next one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the run."""

    took_s: float
    products: int
    results: int
    twice: int
    wrong: int
    visits_twice: int
    """Products that the shop has seen more than once and that took one attempt: a batch that two had at work."""
    emptied: tuple[Emptied, ...]

    @property
    def is_good(self) -> bool:
        """Whether it is as it must be."""
        return self.results == self.products and not self.twice and not self.wrong


class Ground:
    """The run, its workers and its Redis."""

    def __init__(self, folder: Path, how: str, database: str, server: RedisServer, shop: StorefrontProcess) -> None:
        self.place = Workplace(folder)
        self.how = how
        self.database = database or f"sqlite:///{folder}/data/pagemill.db"
        self.server = server
        self.shop = shop
        environment = {"PAGEMILL_REDIS_URL": server.url, "PAGEMILL_DATABASE_URL": self.database}
        self.place.environment_changes = environment
        self.place.settings(queue={"heartbeat_interval_s": 5, "heartbeat_ttl_s": 45})
        workflow = {"rate_limit": {"wait_time_ms": "0-50"}, "concurrency": {"default": 4}}
        self.place.platform(PLATFORM, workflow=workflow)

    def enqueue(self, rows: list[CatalogueRow], store: ResultStore) -> str:
        """The run's name."""
        config = load_config(self.place.config, {})
        with open_redis(self.server.url, self.place.folder) as redis:
            return enqueue_run(
                (row.product for row in rows),
                config.platforms[PLATFORM],
                source="emptied",
                batch_size=20,
                settings=config.settings.queue,
                redis=redis,
                store=store,
            ).run

    def empty(self) -> None:
        """Redis knows nothing any more."""
        if self.how == "flushed":
            with open_redis(self.server.url, self.place.folder) as redis:
                redis.flushall()
            return
        self.server.kill()
        shutil.rmtree(self.place.folder / "redis")
        self.server.start()

    def put_back(self) -> int:
        """Batches that were, as the log tells."""
        return sum(line["batches"] for line in self.place.events(events.BATCHES_PUT_BACK))


def wait(condition: Callable[[], bool], timeout_s: float, what: str) -> float:
    """How long that took."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > timeout_s:
            raise SystemExit(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(_POLL_S)
    return time.monotonic() - began_s


def measure(products: int, times: int, how: str, database: str, seed: int) -> Outcome:
    """One run."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="emptied-") as name, StorefrontProcess() as shop:
        folder = Path(name)
        with RedisServer(folder / "place" / "redis") as server:
            ground = Ground(folder / "place", how, database, server, shop)
            with ResultStore(ground.database) as store:
                return _run(ground, store, products, times, chance)


def _run(ground: Ground, store: ResultStore, products: int, times: int, chance: random.Random) -> Outcome:
    rows = list(generate(PLATFORM, ground.shop.base_url, products))
    run = ground.enqueue(rows, store)
    began_s = time.monotonic()
    emptied = []
    with ground.place.worker("--processes", "2") as supervisor:
        for number in range(times):
            # Somewhere in this part of the run, and with something left on the queue at the end.
            part = products * 0.9 / times
            wanted = round(part * (number + chance.random()))
            wait(partial(_is_done, store, run, wanted), _END_S, f"{wanted} results")
            done, before = store.progress(run).done, ground.put_back()
            ground.empty()
            told_s = wait(partial(_is_told, ground, before), _TOLD_S, "batches to be put back")
            emptied.append(Emptied(done, round(told_s, 1), ground.put_back() - before))
            print(emptied[-1], flush=True)
        wait(lambda: store.progress(run).finished, _END_S, "the end of the run")
        took_s = time.monotonic() - began_s
        supervisor.terminate()
        if supervisor.wait(60):
            raise SystemExit("the workers did not end well")
    results = list(store.read(run))
    counts = Counter(result.product_id for result in results)
    by_id = {row.product.id: row for row in rows}
    return Outcome(
        took_s=round(took_s, 1),
        products=products,
        results=len(results),
        twice=sum(count - 1 for count in counts.values()),
        wrong=sum(not by_id[result.product_id].accepts(result.verdict) for result in results),
        visits_twice=sum(ground.shop.hits(result.product_id).visits > 1 for result in results if result.attempts == 1),
        emptied=tuple(emptied),
    )


def _is_done(store: ResultStore, run: str, wanted: int) -> bool:
    return store.progress(run).done >= wanted


def _is_told(ground: Ground, before: int) -> bool:
    return ground.put_back() > before


def main() -> int:
    """0 when nothing was lost and nothing doubled, and it was told each time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emptied_redis", description=__doc__)
    parser.add_argument("--products", type=int, default=2000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--how", choices=WAYS, default=WAYS[0])
    parser.add_argument("--database", default="", help="an SQLAlchemy URL; default: an SQLite file of its own")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcome = measure(options.products, options.times, options.how, options.database, options.seed)
    print(outcome)
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
