"""Caches that may be trimmed when memory runs short: a user's strategy registers its own, and the guard trims them.

    from pagemill.guard.caches import register_cache

    register_cache("prices", self.prices)

Owns the register, and the way in which a mapping loses its oldest entries. The guard decides when and how much.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, MutableMapping, Sized
from itertools import islice
from typing import Any

from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")

_TRIES = 20
"""After so many failed tries, a mapping that is written to all the time is left for the next round."""
_GONE = object()


class Caches:
    """Caches by name. May be used from any thread, also while the caches are in use.

    A cache is either an object with a method `cleanup(cleanup_ratio)`, which does the work itself, or any mutable
    mapping. A mapping loses its oldest entries, which are the first in its order. Caches are held weakly: one that
    nobody else holds is forgotten. A plain `dict` and Python's `defaultdict` cannot be held weakly, so they are held
    until they are unregistered. A subclass (`class Prices(dict): pass`) and Python's `OrderedDict` can.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Callable[[], object | None]] = {}

    def register(self, name: str, cache: object) -> None:
        """Adds a cache. It replaces another one of the same name.

        Raises:
            TypeError: it is not a cache.
        """
        if _own_cleanup(cache) is None and not isinstance(cache, MutableMapping):
            raise TypeError(f"{name}: a cache is a mutable mapping, or has a method cleanup(cleanup_ratio)")
        holder = _holder(cache)
        with self._lock:
            self._held = {each: held for each, held in self._held.items() if held() is not None}
            self._held[name] = holder

    def unregister(self, name: str) -> None:
        """Forgets a cache; does nothing if there is none of that name."""
        with self._lock:
            self._held.pop(name, None)

    def cleanup(self, ratio: float) -> int:
        """Removes that share (0 to 1) of every cache, at least one entry of each.

        Returns:
            How many entries were removed, from those caches that can be counted.
        """

        def share(cache: object) -> int:
            size = _size(cache) or 0
            return _clean(cache, ratio, max(1, round(size * ratio)))

        return sum(self._each(share))

    def trim(self, max_size: int) -> int:
        """Reduces every cache with more than `max_size` entries to that number.

        A cache with its own `cleanup` is asked to remove the excess share. If it has no length, it is left alone.

        Returns:
            How many entries were removed.
        """

        def excess(cache: object) -> int:
            size = _size(cache)
            if size is None or size <= max_size:
                return 0
            # Half an entry more, because the rounded share times the size may be just below a whole number.
            return _clean(cache, min(1.0, (size - max_size + 0.5) / size), size - max_size)

        return sum(self._each(excess))

    def sizes(self) -> dict[str, int]:
        """How many entries each cache has; those without a length are left out."""
        return {name: size for name, cache in self._living() if (size := _size(cache)) is not None}

    def _each(self, work: Callable[[object], int]) -> Iterator[int]:
        """Yields the result of the work on each cache. A cache that fails is logged, and does not stop the others."""
        for name, cache in self._living():
            try:
                yield work(cache)
            except Exception:
                log.exception(events.UNEXPECTED, cache=name)

    def _living(self) -> list[tuple[str, object]]:
        """The caches that still exist, for work without the lock: a `cleanup` may register or unregister caches."""
        with self._lock:
            held = list(self._held.items())
        return [(name, cache) for name, holder in held if (cache := holder()) is not None]


def _holder(cache: object) -> Callable[[], object | None]:
    try:
        return weakref.ref(cache)
    except TypeError:
        return lambda: cache


def _own_cleanup(cache: object) -> Callable[..., Any] | None:
    own = getattr(cache, "cleanup", None)
    return own if callable(own) else None


def _size(cache: object) -> int | None:
    return len(cache) if isinstance(cache, Sized) else None


def _clean(cache: object, ratio: float, count: int) -> int:
    own = _own_cleanup(cache)
    if own is not None:
        before = _size(cache)
        answer = own(cleanup_ratio=ratio)
        if before is not None:
            return max(0, before - (_size(cache) or 0))
        return max(0, answer) if isinstance(answer, int) else 0
    assert isinstance(cache, MutableMapping)
    return sum(_take(cache, key) for key in _oldest(cache, count))


def _oldest(cache: MutableMapping[Any, Any], count: int) -> list[Any]:
    for _ in range(_TRIES):
        try:
            return list(islice(cache, count))
        except RuntimeError:
            continue  # another thread wrote to it between two keys
    return []


def _take(cache: MutableMapping[Any, Any], key: Any) -> bool:
    try:
        return cache.pop(key, _GONE) is not _GONE
    except KeyError:
        return False  # another thread took it meanwhile


CACHES = Caches()
"""This process' caches, which the guard trims."""


def register_cache(name: str, cache: object) -> None:
    """Lets the guard trim a cache when memory runs short; see `Caches`."""
    CACHES.register(name, cache)


def unregister_cache(name: str) -> None:
    """Removes a cache from those that the guard trims."""
    CACHES.unregister(name)
