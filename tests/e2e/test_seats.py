"""Two worker processes and a shop that counts who is there: never more visits at one time than it bears."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

from pagemill.config.loading import load_config
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Product, Verdict
from pagemill.telemetry import events
from tests.e2e.workplace import Workplace, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]

_COUNT = 24


class CountingShop(ThreadingHTTPServer):
    """Takes its time for each product, and counts those that it is asked for at the same time."""

    daemon_threads = True

    def __init__(self) -> None:
        self.there = self.most = self.asked = 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @contextmanager
    def visitor(self) -> Iterator[None]:
        with self.lock:
            self.asked += 1
            self.there += 1
            self.most = max(self.most, self.there)
        try:
            yield
        finally:
            with self.lock:
                self.there -= 1


class _Handler(BaseHTTPRequestHandler):
    server: CountingShop

    def do_GET(self) -> None:
        if not self.path.startswith("/p/"):
            self.send_error(404)
            return
        with self.server.visitor():
            time.sleep(0.1)  # how long this shop takes
        body = b"<!doctype html><h1>Shirt</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@contextmanager
def counting_shop() -> Iterator[CountingShop]:
    with CountingShop() as shop:
        thread = threading.Thread(target=shop.serve_forever, name="shop")
        thread.start()
        try:
            yield shop
        finally:
            shop.shutdown()
            thread.join()


def visited_by_two_workers(place: Workplace, shop: CountingShop, **concurrency: int) -> None:
    """A run in batches of six, by two workers of three lanes; a page and a request for each product."""
    address = f"http://127.0.0.1:{shop.server_port}/p/{{id}}"
    platform = {
        "platform": "counted",
        "hosts": ["127.0.0.1"],
        "workflow": {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": 3, **concurrency}},
        "extract": {
            "sources": [
                {"strategy": "http", "url": address, "fields": {"price": "price"}},
                {"strategy": "dom", "fields": {"name": "h1"}},
            ]
        },
    }
    (place.config / "platforms" / "counted.yaml").write_text(yaml.safe_dump(platform))
    config = load_config(place.config, {})
    products = (Product(f"{n:02}", address.format(id=n), {"name": "Shirt"}) for n in range(_COUNT))
    with place.worker() as one, place.worker() as other:
        eventually(lambda: len(place.events(events.WORKER_STARTED)) == 2, 60, "two workers")
        with place.redis() as redis, place.store() as store:
            run = enqueue_run(
                products,
                config.platforms["counted"],
                source="test",
                batch_size=6,
                settings=config.settings.queue,
                redis=redis,
                store=store,
            ).run
        eventually(lambda: len(place.results(run)) == _COUNT, 100, "all results")
        for worker in (one, other):
            worker.terminate()
        assert (one.wait(60), other.wait(60)) == (0, 0)
    results = place.results(run)
    assert [result.verdict for result in results] == [Verdict.OK] * _COUNT
    assert len({result.worker for result in results}) == 2
    assert shop.asked == 2 * _COUNT


def test_two_workers_never_visit_at_one_time(place: Workplace) -> None:
    """Neither with a page nor without."""
    with counting_shop() as shop:
        visited_by_two_workers(place, shop, fleet=1)
        assert shop.most == 1


def test_without_seats_they_do(place: Workplace) -> None:
    """Else the test above would show nothing."""
    with counting_shop() as shop:
        visited_by_two_workers(place, shop)
        assert shop.most > 2
