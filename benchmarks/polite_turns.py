"""How late a worker's turns were as it tells by itself: the metric `pagemill_turn_late_seconds`, read while it works.

A thread of this process asks the worker's Redis every few seconds, as the control API does for Prometheus. Where the
metric is not there, nothing is heard; from outside lateness is measured all the same, see `polite_figures`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from prometheus_client.core import Metric

from pagemill.broker.embedded import EmbeddedServer
from pagemill.control_room.metrics.text import FleetCollector
from pagemill.fleet.view import FleetView

METRIC = "pagemill_turn_late_seconds"
_EVERY_S = 2.0
_TIMEOUT_S = 2.0


class TurnsHeard:
    """Listens in the `with` block to the worker whose data is in that folder; without a folder there is none."""

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="turns heard")
        self._readings: list[tuple[float, Mapping[float, float]]] = []
        """Seconds since the epoch, and the buckets of all platforms. A worker that has ended tells nothing any more."""

    def __enter__(self) -> Self:
        if self._data is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._data is not None:
            self._thread.join()

    def between(self, begin: float, end: float) -> Mapping[float, float]:
        """Upper bound in seconds to how many turns were not above it, of those that came between two moments in seconds
        since the epoch, as exactly as it was asked for."""
        readings = [buckets for at, buckets in self._readings if begin <= at <= end and buckets]
        if not readings:
            return {}
        first, last = readings[0], readings[-1]
        return {bound_s: count - first.get(bound_s, 0.0) for bound_s, count in last.items()}

    def _listen(self) -> None:
        assert self._data is not None
        # Never opened: that would start a server. The worker has one, sooner or later.
        path = str(EmbeddedServer(self._data).socket_path)
        with redis.Redis(unix_socket_path=path, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S) as client:
            collector = FleetCollector(FleetView(client, ()))
            while not self._over.wait(_EVERY_S):
                self._readings.append((time.time(), late_buckets(collector.collect())))


def late_buckets(told: Iterable[Metric]) -> dict[float, float]:
    """What is told of all workers and platforms together."""
    buckets: dict[float, float] = {}
    for metric in told:
        if metric.name == METRIC:
            for sample in metric.samples:
                if sample.name.endswith("_bucket"):
                    bound_s = float(sample.labels["le"])
                    buckets[bound_s] = buckets.get(bound_s, 0.0) + sample.value
    return buckets
