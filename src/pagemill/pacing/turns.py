"""When a lane may make its next visit. Owns the waits between visits; knows nothing of pages or products."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from pagemill.config.platform import Platform
from pagemill.errors import TurnDenied
from pagemill.pacing.answer import Answer, Welcome
from pagemill.pacing.fleet_pace import Turn

T = TypeVar("T")

_LONG_S = 30.0
"""A platform that is closed for longer is left alone, and its batch goes back to the queue."""
_LOOK_S = 5.0
"""How long a closed platform is waited for before asking again: somebody may have opened it."""
_LATE_S = 1.0
"""A place that was missed by more is given up: taken now, it could be too close to its neighbours'."""
_STOPPED = "lanes must stop"


class FleetPace(Protocol):
    """What every worker on every machine shares: `fleet_pace.RedisFleetPace`."""

    async def turn(self, platform: Platform, *, place: bool, probing: bool = False) -> Turn: ...
    async def report(self, platform: Platform, answer: Answer, *, probe: bool) -> None: ...


class Turns:
    """The waits of one worker's lanes. A lane's wait outlives the batch: it is between visits, not between items."""

    def __init__(
        self,
        pace: FleetPace,
        *,
        now_s: Callable[[], float] = time.monotonic,
        draw: Callable[[int, int], int] = random.randint,
        on_wait: Callable[[str, float], None] = lambda _platform, _seconds: None,
    ) -> None:
        """
        Args:
            pace: asked for each visit.
            now_s: monotonic seconds.
            draw: a whole number between two others, both included, drawn evenly.
            on_wait: told the platform and the seconds of each wait that has ended.
        """
        self._pace = pace
        self._now_s = now_s
        self._draw = draw
        self._on_wait = on_wait
        self._next_s: dict[tuple[str, int], float] = {}
        self._slow: dict[str, float] = {}
        self._granted: dict[tuple[str, int], tuple[Turn, float]] = {}
        """The turn that a lane has, and its moment."""

    async def wait(self, platform: Platform, lane: int, stop: asyncio.Event) -> None:
        """Waits for that lane's turn.

        Raises:
            TurnDenied: `stop` was set before the turn has come, or the fleet leaves the platform alone for long.
        """
        begun_s = self._now_s()
        try:
            if platform.workflow.rate_limit.enabled:
                due_s = self._next_s.get((platform.platform, lane), 0.0)
                await sleep_unless(stop, due_s - begun_s)
            await self._take_turn(platform, lane, stop)
        finally:
            self._on_wait(platform.platform, self._now_s() - begun_s)

    async def keep(self, platform: Platform, lane: int, stop: asyncio.Event) -> None:
        """Called right before the visit: waits for another turn if that lane's has passed.

        Raises:
            TurnDenied: as `wait`.
        """
        _turn, moment_s = self._granted[platform.platform, lane]
        is_limited = platform.workflow.rate_limit.fleet_per_minute is not None
        if is_limited and self._now_s() - moment_s > _LATE_S:
            await self._take_turn(platform, lane, stop)

    async def _take_turn(self, platform: Platform, lane: int, stop: asyncio.Event) -> None:
        place, probing = True, self.is_probe(platform, lane)
        due_s = math.inf
        while True:
            turn = await _unless(stop, self._pace.turn(platform, place=place, probing=probing))
            self._slow[platform.platform] = turn.slow
            if not turn.may_go:
                if turn.wait_s > _LONG_S:
                    raise TurnDenied(f"{platform.platform} is left alone for {turn.wait_s:.0f} s")
                place = True
                await sleep_unless(stop, min(turn.wait_s, _LOOK_S))
                continue
            if place:
                due_s = self._now_s() + turn.wait_s
            await sleep_unless(stop, turn.wait_s)
            probing = probing or turn.word == "probe"
            place = self._now_s() - due_s > _LATE_S  # Redis may have taken its time to answer
            if not place and (turn.wait_s == 0 or probing):
                break
            # The place is taken; only whether anything has come in between remains to be asked.
        turn = Turn("probe" if probing else "go", 0.0, turn.slow, turn.clean)
        self._granted[platform.platform, lane] = turn, self._now_s()

    def visited(self, platform: Platform, lane: int) -> None:
        """Says that a visit of that lane has ended, and draws the wait until its next one."""
        limit = platform.workflow.rate_limit
        if limit.enabled:
            wait_ms = self._draw(limit.wait_time_ms.low_ms, limit.wait_time_ms.high_ms)
            wait_s = wait_ms / 1000 * self._slow.get(platform.platform, 1.0)
            self._next_s[platform.platform, lane] = self._now_s() + wait_s

    async def answered(self, platform: Platform, lane: int, answer: Answer) -> None:
        """Says how the shop took that lane's visit; the whole fleet slows down, pauses or goes on accordingly."""
        turn, _moment_s = self._granted.pop((platform.platform, lane))
        probe = turn.word == "probe"
        if answer.welcome is Welcome.CHALLENGED:
            if probe:  # the one visit that was to tell whether the shop lets anybody in
                answer = replace(answer, welcome=Welcome.BLOCKED)
            elif not answer.pause_s(platform.workflow.rate_limit):
                return  # it says nothing of the pace
        if not (turn.clean and answer.welcome is Welcome.GOOD):
            await self._pace.report(platform, answer, probe=probe)

    def is_probe(self, platform: Platform, lane: int) -> bool:
        """Whether that lane's next visit is the one that tries whether the breaker may close."""
        granted = self._granted.get((platform.platform, lane))
        return granted is not None and granted[0].word == "probe"


async def _unless(stop: asyncio.Event, asking: Coroutine[Any, Any, T]) -> T:
    asked = asyncio.ensure_future(asking)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((asked, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise TurnDenied(_STOPPED)
        return asked.result()
    finally:
        asked.cancel()
        stopping.cancel()


async def sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    """Sleeps.

    Raises:
        TurnDenied: at once when `stop` is set.
    """
    if not stop.is_set():
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return
    raise TurnDenied(_STOPPED)
