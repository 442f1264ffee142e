"""What a simulated fleet stands on: how large it is, a Redis of its own, and batches on its queues."""

from __future__ import annotations

import random
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.intake.batch_job import open_queue
from pagemill.intake.enqueue import put
from pagemill.model import Batch, Product


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who is at it."""

    workers: int = 1000
    shops: int = 6
    """That each worker serves."""
    groups: int = 4
    """Of workers with shops of their own."""
    lanes: int = 4
    wait_ms: str = "15000-20000"
    """Between two visits of a lane."""
    visit_s: float = 1.0
    per_minute: int | None = 60_000
    """A limit that is asked for and not reached; none: a lane asks as seldom as it may."""
    seats: int | None = None
    batch: int = 50

    def platforms(self, group: int) -> list[Platform]:
        """The shops of one group."""
        limits: dict[str, Any] = {"wait_time_ms": self.wait_ms, "max_per_minute": self.per_minute}
        concurrency = {"default": self.lanes, "fleet": self.seats}
        return [
            Platform.model_validate(
                {
                    "platform": f"shop-{group}-{number}",
                    "hosts": ["127.0.0.1"],
                    "workflow": {"rate_limit": limits, "concurrency": concurrency},
                    "extract": {"strategy": "structured"},
                }
            )
            for number in range(self.shops)
        ]


@contextmanager
def redis_server(program: str) -> Iterator[tuple[str, redis.Redis]]:
    """A server of its own on loopback, with the settings of `docker/redis.conf` but for its memory."""
    with tempfile.TemporaryDirectory(prefix="fleet-load-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "yes"}
        settings |= {"appendfsync": "everysec", "maxmemory": "4gb", "maxmemory-policy": "noeviction"}
        settings |= {"maxclients": 18_000, "client-output-buffer-limit": "pubsub 8mb 2mb 60", "loglevel": "warning"}
        command = [program]
        for name, value in settings.items():
            command += [f"--{name}", *str(value).split(" ")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        url = f"redis://127.0.0.1:{port}/0"
        client = redis.Redis.from_url(url)
        try:
            deadline_s = time.monotonic() + 20
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    if process.poll() is not None or time.monotonic() > deadline_s:
                        raise
                    time.sleep(0.05)
            yield url, client
        finally:
            client.close()
            process.terminate()
            process.wait(60)


def fill(client: redis.Redis, fleet: Fleet, seconds: float) -> int:
    """Puts as many batches on the queues as the fleet takes in that time; the first ones of any size, so that not all
    end together."""
    settings = QueueSettings()
    low, high = map(int, fleet.wait_ms.split("-"))
    batch_s = fleet.batch * ((low + high) / 2000 + fleet.visit_s) / fleet.lanes
    count = 0
    for group in range(fleet.groups):
        hands = sum(1 for number in range(fleet.workers) if number % fleet.groups == group)
        wanted = hands * (2 + round(seconds / batch_s))
        for platform in fleet.platforms(group):
            queue = open_queue(client, platform.platform)
            sizes = [random.randint(1, fleet.batch) for _ in range(hands)] + [fleet.batch] * (wanted - hands)
            run = f"20261128-000000-{platform.platform}-{secrets.token_hex(2)}"
            batches = [batch_of(run, number, platform.platform, size) for number, size in enumerate(sizes)]
            for start in range(0, len(batches), 40):
                put(queue, batches[start : start + 40], platform, settings)
            count += len(batches)
    return count


def batch_of(run: str, number: int, platform: str, size: int) -> Batch:
    """Its names and prices are as hard to pack as real ones."""
    products = (
        Product(
            f"P{number:05}{item:03}",
            f"https://www.{platform}.test/products/{number}{item:03}",
            {"name": f"{secrets.token_urlsafe(15)} 셔츠", "price": random.randrange(1000, 500_000, 10)},
        )
        for item in range(size)
    )
    return Batch(run, f"b{number:05}", platform, tuple(products))
