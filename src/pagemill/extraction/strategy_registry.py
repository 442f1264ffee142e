"""A worker's strategies: made at first use, dropped when their platform has not been visited for long.

It decides when a strategy is made and dropped; `strategy` decides which one a platform has and how it is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pagemill.config.platform import Platform
from pagemill.errors import ConfigError, Problem
from pagemill.extraction.strategy import Strategy, load_strategy
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("extraction")


@dataclass(slots=True)
class _Loaded:
    strategy: Strategy
    used_s: float


class StrategyRegistry(Mapping[str, Strategy]):
    """Strategies by platform name, for the engine's thread. It has every platform, loaded or not.

    If a strategy has a method `close` (no coroutine), that is called when the strategy is dropped. The next visit of
    the platform makes a new one.
    """

    def __init__(
        self,
        platforms: Iterable[Platform],
        load: Callable[[Platform], Strategy] = load_strategy,
        ttl_s: float = 3600.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            platforms: those of this worker.
            load: makes a platform's strategy; raises ConfigError.
            ttl_s: how long one may be unused. Longer than the longest visit: only its beginning counts as use.
            now_s: monotonic seconds.
        """
        self._platforms = {platform.platform: platform for platform in platforms}
        self._load = load
        self._ttl_s = ttl_s
        self._now_s = now_s
        self._loaded: dict[str, _Loaded] = {}

    def __getitem__(self, name: str) -> Strategy:
        """The platform's strategy, which counts as used now.

        Raises:
            KeyError: this worker does not have the platform.
            ConfigError: it has to be made again, and cannot be.
        """
        loaded = self._loaded.get(name)
        if loaded is None:
            self._loaded[name] = loaded = _Loaded(self._load(self._platforms[name]), 0.0)
        loaded.used_s = self._now_s()
        return loaded.strategy

    def __contains__(self, name: object) -> bool:
        """Whether this worker has the platform. Asking does not count as use."""
        return name in self._platforms

    def __iter__(self) -> Iterator[str]:
        return iter(self._platforms)

    def __len__(self) -> int:
        return len(self._platforms)

    def loaded(self) -> list[str]:
        """The platforms whose strategy is loaded, by name."""
        return sorted(self._loaded)

    def load_all(self) -> None:
        """Loads every strategy, so that mistakes show at the start and not at the first visit.

        Raises:
            ConfigError: with the mistakes of all of them.
        """
        problems: list[Problem] = []
        for name in self:
            try:
                self[name]
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(problems)

    def drop_unused(self, now_s: float | None = None) -> list[str]:
        """Drops strategies that have been unused for `ttl_s`. Must be called on the loop's thread.

        Args:
            now_s: the registry's own clock unless told.

        Returns:
            Their platforms, by name.
        """
        moment_s = self._now_s() if now_s is None else now_s
        unused = [name for name in self.loaded() if moment_s - self._loaded[name].used_s >= self._ttl_s]
        for name in unused:
            self._let_go(name)
        return unused

    def close(self) -> None:
        """Drops all of them; no visit may be under way."""
        for name in self.loaded():
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        close = getattr(self._loaded.pop(name).strategy, "close", None)
        if callable(close):
            try:
                close()
            except Exception:
                log.exception(events.UNEXPECTED, where="closing a strategy", platform=name)
