"""A cache of values that many threads ask for: each value is made once for all of them and kept for a while.

The time depends on how long it takes to make the value, so that only a small share of all time goes into making it. At
half that age, a thread makes the value anew in the background, so that nobody waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pagemill.errors import PagemillError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_TIMES = 20
"""A value is kept for this multiple of the time that making it took, within the limits."""
_TURNS = 16
_RENEWING = threading.Lock()
"""Renewals run one at a time in a process, so that they do not slow down requests."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    made_s: float
    kept_s: float
    is_renewed: bool = False


@dataclass(frozen=True, slots=True)
class Lookups:
    """How often a value was in the cache, and how often somebody waited until it was made."""

    hits: int
    misses: int


class SharedCache(Generic[K, V]):
    """May be used by many threads at once."""

    def __init__(
        self, size: int, least_s: float = 1.0, most_s: float = 60.0, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            size: how many values are kept; the oldest is dropped first.
            least_s: the shortest time for which a value is kept.
            most_s: the longest time for which a value is kept.
            now_s: monotonic seconds.
        """
        self._size = size
        self._least_s = least_s
        self._most_s = most_s
        self._now_s = now_s
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))
        self._entries: dict[K, _Entry[V]] = {}
        self._forgotten = 0
        self._hits = self._misses = 0

    @property
    def lookups(self) -> Lookups:
        """The counts so far."""
        with self._lock:
            return Lookups(self._hits, self._misses)

    def get(self, key: K, make: Callable[[], V], kept_s: float | None = None) -> V:
        """The value for `key`. If none is fresh enough, `make` is called, here or on a background thread.

        Args:
            key: the value's key.
            make: makes the value. Its errors are raised here and not cached.
            kept_s: how long the value is kept; by default it depends on how long `make` takes.
        """
        entry = self._find(key, make, kept_s)
        if entry is not None:
            return entry.value
        with self._turns[hash(key) % _TURNS]:
            entry = self._find(key, make, kept_s)  # another thread may have made it meanwhile
            if entry is not None:
                return entry.value
            with self._lock:
                self._misses += 1
            return self._make(key, make, kept_s)

    def forget(self) -> None:
        """Drops all values, also those being made now, because the data behind them has changed."""
        with self._lock:
            self._entries.clear()
            self._forgotten += 1

    def _find(self, key: K, make: Callable[[], V], kept_s: float | None) -> _Entry[V] | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            age_s = self._now_s() - entry.made_s
            if age_s >= entry.kept_s:
                return None
            self._hits += 1
            is_due = age_s >= entry.kept_s / 2 and not entry.is_renewed
            entry.is_renewed = entry.is_renewed or is_due
        if is_due:
            threading.Thread(target=self._renew, args=(key, make, kept_s), name="kept", daemon=True).start()
        return entry

    def _renew(self, key: K, make: Callable[[], V], kept_s: float | None) -> None:
        try:
            with _RENEWING:
                self._make(key, make, kept_s)
        except PagemillError:
            return  # the next `get` that has to wait raises it
        except Exception:
            log.exception(events.UNEXPECTED, where="renewing what is kept")

    def _make(self, key: K, make: Callable[[], V], kept_s: float | None) -> V:
        forgotten, begun_s = self._forgotten, self._now_s()
        value = make()
        made_s = self._now_s()
        if kept_s is None:
            kept_s = min(self._most_s, max(self._least_s, _TIMES * (made_s - begun_s)))
        with self._lock:
            if forgotten == self._forgotten:
                gone = [each for each, entry in self._entries.items() if made_s - entry.made_s >= entry.kept_s]
                for each in (key, *gone):
                    self._entries.pop(each, None)
                while len(self._entries) >= self._size:
                    del self._entries[next(iter(self._entries))]
                self._entries[key] = _Entry(value, made_s, kept_s)
        return value
