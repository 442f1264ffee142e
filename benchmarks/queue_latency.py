"""How long a product waits from being queued to the first byte of its visit, on a worker with nothing of its shop.

The shop is a socket that notes when each path is asked for. Products are queued one by one, at uneven times, each as a
run of its own, by a program that has read its configuration and has its connections open, as the scheduler has:
`python -m benchmarks.queue_latency`. With `--shops 6` the worker visits six other shops meanwhile, at
the pace of real ones.
"""

from __future__ import annotations

import argparse
import http.server
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from redis import Redis

from benchmarks.polite_figures import Case
from benchmarks.polite_race import catalogues_of, platform_name, write_platforms
from benchmarks.polite_shops import Street
from pagemill.config.loading import load_config
from pagemill.config.settings import Config
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Product
from pagemill.results.store import ResultStore
from tests.e2e.workplace import Workplace, eventually

PLATFORM = "demo-hydrated"
_PAGE = (
    b"<!doctype html><body data-ready><h1 class=name>A</h1><p class=price>1</p><p class=stock>in</p>"
    b"<img class=photo src=/photo>"
)
"""All that the platform reads: a page that lacks something is given time to settle."""
_WAIT_S = 20.0
_PAUSE_S = (0.3, 1.2)
_WARM_UP = 3
_SETTLE_S = 40.0
"""After this long the lanes of the other shops, which begin together, visit at different times."""


class Shop(http.server.ThreadingHTTPServer):
    """Answers every path with the same product."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.asked: dict[str, float] = {}
        """When a path was first asked for."""
        self.news = threading.Condition()

    def wait_for(self, path: str) -> float:
        """The moment at which the path was asked for.

        Raises:
            TimeoutError: nobody asked for it.
        """
        with self.news:
            if not self.news.wait_for(lambda: path in self.asked, _WAIT_S):
                raise TimeoutError(f"nobody asked for {path} within {_WAIT_S:g} s")
            return self.asked[path]


class _Visit(http.server.BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        moment = time.monotonic()
        with self.server.news:
            self.server.asked.setdefault(self.path, moment)
            self.server.news.notify_all()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def occupy(place: Workplace, street: Street, shops: int, seconds: float) -> None:
    """Gives the worker of that place products of other shops for longer than that."""
    pace = Case(shops)
    case = replace(pace, products=round(2 * seconds * pace.per_minute / 60))
    write_platforms(case, place.config / "platforms")
    for number, rows in enumerate(catalogues_of(case, street)):
        place.enqueue(platform_name(number), rows)


def measure(count: int, seed: int, shops: int) -> list[float]:
    """Milliseconds of each of so many products, sorted, while so many other shops are visited."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="latency-") as folder, Street(max(shops, 1)) as street:
        place = Workplace(Path(folder))
        place.settings(queue={"heartbeat_interval_s": 5, "heartbeat_ttl_s": 45}, guard={"sample_interval_s": 5})
        shop = Shop()
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        try:
            with place.redis() as redis, place.store() as store:
                if shops:
                    occupy(place, street, shops, _SETTLE_S + count * (_PAUSE_S[1] + 0.2))
                with place.worker() as worker:
                    if shops:
                        name = platform_name(shops - 1)
                        eventually(lambda: place.at_work(name) == 1, _WAIT_S, f"a batch of {name}")
                        time.sleep(_SETTLE_S)
                    enqueue = _enqueuer(load_config(place.config, {}), redis, store)
                    took = []
                    for number in range(-_WARM_UP, count):
                        eventually(lambda: place.at_work(PLATFORM) == 0, _WAIT_S, f"the end of product {number - 1}")
                        took.append(_wait_ms(enqueue, shop, number, chance))
                    took = took[_WARM_UP:]
                    worker.terminate()
                    worker.wait(30)
        finally:
            shop.shutdown()
            shop.server_close()
    return sorted(took)


def _enqueuer(config: Config, redis: Redis, store: ResultStore) -> Callable[[Product], object]:
    """Queues a product as a run of its own."""
    return lambda product: enqueue_run(
        [product],
        config.platforms[PLATFORM],
        source="benchmark",
        batch_size=1,
        settings=config.settings.queue,
        redis=redis,
        store=store,
    )


def _wait_ms(enqueue: Callable[[Product], object], shop: Shop, number: int, chance: random.Random) -> float:
    """Of one product, after a pause."""
    time.sleep(chance.uniform(*_PAUSE_S))
    path = f"/{number}"
    url = f"http://127.0.0.1:{shop.server_address[1]}{path}"
    began = time.monotonic()
    enqueue(Product(f"p{number}", url, {"name": "A"}))
    return 1000 * (shop.wait_for(path) - began)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100, help="how many (100)")
    parser.add_argument("--shops", type=int, default=0, help="how many others are visited meanwhile (0)")
    parser.add_argument("--seed", type=int, default=1, help="of the pauses between them (1)")
    options = parser.parse_args()
    took = measure(options.products, options.seed, options.shops)
    p95 = took[min(len(took) - 1, round(0.95 * len(took)))]
    print(f"{len(took)} products: p50 {statistics.median(took):.0f} ms, p95 {p95:.0f} ms, most {took[-1]:.0f} ms")


if __name__ == "__main__":
    main()
