"""Counts what a worker has done since it started, for each platform. Its size does not grow with the work."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

from pagemill.model import ItemResult, Verdict

BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds of the histogram of product times; one more bucket takes all longer times."""
LATE_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The same for the delays of turns."""


@dataclass(frozen=True, slots=True)
class PlatformTally:
    """One platform's counts. A product's time covers all its attempts and the pauses between them."""

    verdicts: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    spared: int = 0
    """Products that were not visited, because they were seen recently. They are counted among the verdicts, too."""
    item_s: float = 0.0
    """The sum of the visited products' times."""
    buckets: tuple[int, ...] = (0,) * (len(BUCKETS_S) + 1)
    """Visited products per class: up to each bound of `BUCKETS_S`, and in the last class above all bounds."""
    wait_s: float = 0.0
    """The sum of the lanes' waits for their turns."""
    timeouts: int = 0
    """Products that failed because their last visit ran into a time-out."""
    late_s: float = 0.0
    """The sum of the visits' delays behind the earliest possible start."""
    late_buckets: tuple[int, ...] = (0,) * (len(LATE_BUCKETS_S) + 1)
    """Visits per class of delay, as in `buckets`."""

    @property
    def products(self) -> int:
        """Products with a verdict."""
        return sum(self.verdicts.values())

    @property
    def visited(self) -> int:
        """Products that were visited for their verdict."""
        return self.products - self.spared


class _Counts:
    def __init__(self) -> None:
        self.verdicts: dict[str, int] = {}
        self.attempts = self.spared = self.timeouts = 0
        self.item_s = self.wait_s = self.late_s = 0.0
        self.buckets = [0] * (len(BUCKETS_S) + 1)
        self.late_buckets = [0] * (len(LATE_BUCKETS_S) + 1)


class Tally:
    """The counts of one worker. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, _Counts] = {}

    def count(self, result: ItemResult) -> None:
        """Counts one product's result."""
        with self._lock:
            counts = self._counts.setdefault(result.platform, _Counts())
            verdict = result.verdict.value
            counts.verdicts[verdict] = counts.verdicts.get(verdict, 0) + 1
            counts.attempts += result.attempts
            counts.timeouts += result.verdict is Verdict.FAILED and "timeout" in result.reason
            if not result.attempts:
                counts.spared += 1
                return
            took_s = max(0.0, (result.finished_at - result.started_at).total_seconds())
            counts.item_s += took_s
            counts.buckets[bisect_left(BUCKETS_S, took_s)] += 1

    def waited(self, platform: str, seconds: float) -> None:
        """Counts one lane's wait."""
        with self._lock:
            self._counts.setdefault(platform, _Counts()).wait_s += seconds

    def late(self, platform: str, seconds: float) -> None:
        """Counts one visit's delay behind its earliest possible start."""
        with self._lock:
            counts = self._counts.setdefault(platform, _Counts())
            counts.late_s += seconds
            counts.late_buckets[bisect_left(LATE_BUCKETS_S, seconds)] += 1

    def products(self) -> int:
        """Products with a verdict so far."""
        with self._lock:
            return sum(sum(counts.verdicts.values()) for counts in self._counts.values())

    def read(self) -> dict[str, PlatformTally]:
        """The counts so far."""
        with self._lock:
            return {
                platform: PlatformTally(
                    verdicts=dict(counts.verdicts),
                    attempts=counts.attempts,
                    spared=counts.spared,
                    item_s=round(counts.item_s, 3),
                    buckets=tuple(counts.buckets),
                    wait_s=round(counts.wait_s, 3),
                    timeouts=counts.timeouts,
                    late_s=round(counts.late_s, 3),
                    late_buckets=tuple(counts.late_buckets),
                )
                for platform, counts in self._counts.items()
            }
