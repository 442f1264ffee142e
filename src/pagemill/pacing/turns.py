"""When a lane may make its next visit. Owns the waits between visits; knows nothing of pages or products."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

from pagemill.config.platform import Platform


class FleetLimit(Protocol):
    """A limit that every worker on every machine shares."""

    async def reserve(self, platform: Platform) -> float:
        """Takes the next free place and returns how many seconds away it is; waits while that can't be known."""
        ...


class Turns:
    """The waits of one worker's lanes. A lane's wait outlives the batch: it is between visits, not between items."""

    def __init__(
        self,
        fleet_limit: FleetLimit,
        *,
        now_s: Callable[[], float] = time.monotonic,
        draw: Callable[[int, int], int] = random.randint,
    ) -> None:
        """
        Args:
            fleet_limit: asked for platforms with `max_per_minute`.
            now_s: monotonic seconds.
            draw: a whole number between two others, both included, drawn evenly.
        """
        self._fleet_limit = fleet_limit
        self._now_s = now_s
        self._draw = draw
        self._next_s: dict[tuple[str, int], float] = {}

    async def wait(self, platform: Platform, lane: int, stop: asyncio.Event) -> bool:
        """Waits for that lane's turn; `False` at once when `stop` is set before the turn has come."""
        limit = platform.workflow.rate_limit
        if not limit.enabled:
            return not stop.is_set()
        due_s = self._next_s.get((platform.platform, lane), 0.0)
        if not await _sleep_unless(stop, due_s - self._now_s()):
            return False
        if limit.max_per_minute is not None:
            away_s = await self._place(platform, stop)
            return away_s is not None and await _sleep_unless(stop, away_s)
        return True

    def visited(self, platform: Platform, lane: int) -> None:
        """Says that a visit of that lane has ended, and draws the wait until its next one."""
        limit = platform.workflow.rate_limit
        if limit.enabled:
            wait_ms = self._draw(limit.wait_time_ms.low_ms, limit.wait_time_ms.high_ms)
            self._next_s[platform.platform, lane] = self._now_s() + wait_ms / 1000

    async def _place(self, platform: Platform, stop: asyncio.Event) -> float | None:
        """How far away the fleet's next free place is; `None` when `stop` is set before that can be known."""
        reserving = asyncio.ensure_future(self._fleet_limit.reserve(platform))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((reserving, stopping), return_when=asyncio.FIRST_COMPLETED)
            return reserving.result() if reserving.done() else None
        finally:
            reserving.cancel()
            stopping.cancel()


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> bool:
    if stop.is_set():
        return False
    if seconds <= 0:
        return True
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return True
    return False
