"""Values that are asked for again and again: each is made once for all who ask, and kept for a while.

How long depends on what making one takes, so that little of the time goes into it. What is half that old is made anew
behind whoever asks next, who need not wait for it.
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
"""A value is kept for so many times what making it took, within the bounds."""
_TURNS = 16
_RENEWING = threading.Lock()
"""One at a time in a process: many at once would leave little to those who wait for an answer."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    made_s: float
    kept_s: float
    is_renewed: bool = False


@dataclass(frozen=True, slots=True)
class Lookups:
    """How often a value was there, and how often it had to be made while somebody waited."""

    hits: int
    misses: int


class SharedCache(Generic[K, V]):
    """For use by many threads at once."""

    def __init__(
        self, size: int, least_s: float = 1.0, most_s: float = 60.0, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            size: how many values are kept; the one that was made first goes.
            least_s: for how long each is kept at least.
            most_s: and at most.
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
        """The value; `make` is called, here or on a thread of its own, when there is none that is young enough.

        Args:
            key: of the value.
            make: makes one. What it raises is raised here, and the next one who asks has it called again.
            kept_s: for how long it is kept, if not by what making it takes.
        """
        entry = self._find(key, make, kept_s)
        if entry is not None:
            return entry.value
        with self._turns[hash(key) % _TURNS]:
            entry = self._find(key, make, kept_s)  # somebody may have made it meanwhile
            if entry is not None:
                return entry.value
            with self._lock:
                self._misses += 1
            return self._make(key, make, kept_s)

    def forget(self) -> None:
        """Lets go of all, also of what is being made just now: something has changed."""
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
            return  # whoever has to wait for it is told
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
