"""When a lane may make its next visit. Owns the waits between visits; knows nothing of pages or products."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol

from pagemill.config.platform import Platform
from pagemill.errors import TurnDenied
from pagemill.pacing.answer import Answer, Welcome
from pagemill.pacing.fleet_pace import Reply
from pagemill.pacing.stopping import sleep_unless, unless

_LONG_S = 30.0
"""A platform that is closed for longer is left alone, and its batch goes back to the queue."""
_LOOK_S = 5.0
"""How long a closed platform is waited for before asking again: somebody may have opened it."""
_LATE_S = 1.0
"""A place that was missed by more is given up: taken now, it could be too close to its neighbours'."""


class FleetPace(Protocol):
    """What every worker on every machine shares: `fleet_pace.RedisFleetPace`."""

    async def ask(self, platform: Platform, *, place: bool, probing: bool = False) -> Reply: ...
    async def report(self, platform: Platform, answer: Answer, *, probe: bool) -> None: ...


@dataclass(slots=True)
class _Between:
    """What a lane of a platform keeps from one turn to the next."""

    next_s: float = -math.inf
    """Before that moment it makes no visit."""
    is_probe: bool = False
    """Its visit is to try whether the breaker may close, and has not been answered yet."""


class Turns:
    """The turns of one worker's lanes. A lane's wait outlives the batch: it is between visits, not between items."""

    def __init__(
        self,
        pace: FleetPace,
        *,
        now_s: Callable[[], float] = time.monotonic,
        draw: Callable[[int, int], int] = random.randint,
        on_wait: Callable[[str, float], None] = lambda _platform, _seconds: None,
        on_late: Callable[[str, float], None] = lambda _platform, _seconds: None,
    ) -> None:
        """
        Args:
            pace: asked for each visit.
            now_s: monotonic seconds.
            draw: a whole number between two others, both included, drawn evenly.
            on_wait: told the platform and the seconds of each wait that has ended.
            on_late: told the platform of each visit that begins, and by how many seconds it begins later than it might
                have by its lane's own wait and by what the fleet said.
        """
        self._pace = pace
        self._now_s = now_s
        self._on_wait = on_wait
        self._on_late = on_late
        self._draw = draw
        self._lanes: dict[tuple[str, int], _Between] = {}
        self._slow: dict[str, float] = {}
        """By how much each platform's waits are stretched, as the fleet said last."""

    def turn(self, platform: Platform, lane: int, stop: asyncio.Event) -> Turn:
        """That lane's next turn, to be entered with `async with`."""
        return Turn(self, platform, self._lanes.setdefault((platform.platform, lane), _Between()), stop)

    def _drawn_wait_s(self, platform: Platform) -> float:
        """How long a lane waits after a visit."""
        limit = platform.workflow.rate_limit
        if not limit.enabled:
            return 0.0
        wait_ms = self._draw(limit.wait_time_ms.low_ms, limit.wait_time_ms.high_ms)
        return wait_ms / 1000 * self._slow.get(platform.platform, 1.0)


class Turn:
    """A lane's turn at a platform: the right to make one visit.

        async with turns.turn(platform, lane, stop) as turn:
            ...  # whatever the visit needs
            await turn.begin()
            ...  # the visit
            turn.answer = ...

    Entering waits until it comes. However it ends, the wait until the lane's next one is drawn if the visit had begun,
    and counts from there. The fleet is told the answer, and slows down, pauses or goes on accordingly.
    """

    def __init__(self, turns: Turns, platform: Platform, lane: _Between, stop: asyncio.Event) -> None:
        self._turns = turns
        self._platform = platform
        self._lane = lane
        self._stop = stop
        self._is_clean = True
        self._has_begun = False
        self._due_s = self._granted_s = turns._now_s()
        self.answer: Answer | None = None
        """How the shop took the visit; to be set where that is known."""

    @property
    def is_probe(self) -> bool:
        """Whether the visit is the one that tries whether the breaker may close."""
        return self._lane.is_probe

    async def __aenter__(self) -> Turn:
        """Waits.

        Raises:
            TurnDenied: `stop` was set before the turn has come, or the fleet leaves the platform alone for long.
        """
        turns, asked_s = self._turns, self._turns._now_s()
        own_s = self._lane.next_s if self._platform.workflow.rate_limit.enabled else -math.inf
        try:
            await sleep_unless(self._stop, own_s - asked_s)
            self._due_s = max(asked_s, own_s, await self._take())
        finally:
            turns._on_wait(self._platform.platform, turns._now_s() - asked_s)
        return self

    async def begin(self) -> None:
        """To be called right before the visit: waits for another turn if this one has passed meanwhile.

        Raises:
            TurnDenied: as when it was entered.
        """
        is_limited = self._platform.workflow.rate_limit.fleet_per_minute is not None
        if is_limited and self._turns._now_s() - self._granted_s > _LATE_S:
            await self._take()
        self._has_begun = True
        self._turns._on_late(self._platform.platform, max(0.0, self._turns._now_s() - self._due_s))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_begun:
            self._lane.next_s = self._turns._now_s() + self._turns._drawn_wait_s(self._platform)
        if error is None and self.answer is not None:
            await self._report(self.answer)

    async def _take(self) -> float:
        """Waits until the fleet lets the visit take place; the moment from which it did, `-inf` if it always has."""
        turns, platform, stop = self._turns, self._platform, self._stop
        place, probing = True, self.is_probe
        place_s, told_s = math.inf, -math.inf
        while True:
            reply = await unless(stop, turns._pace.ask(platform, place=place, probing=probing))
            turns._slow[platform.platform] = reply.slow
            now_s = turns._now_s()
            told_s = now_s + reply.wait_s if reply.wait_s > 0 else min(told_s, now_s)
            if not reply.may_go:
                if reply.wait_s > _LONG_S:
                    raise TurnDenied(f"{platform.platform} is left alone for {reply.wait_s:.0f} s")
                place = True
                await sleep_unless(stop, min(reply.wait_s, _LOOK_S))
                continue
            if place:
                place_s = now_s + reply.wait_s
            await sleep_unless(stop, reply.wait_s)
            probing = probing or reply.word == "probe"
            place = turns._now_s() - place_s > _LATE_S  # Redis may have taken its time to answer
            if not place and (reply.wait_s == 0 or probing):
                break
            # The place is taken; only whether anything has come in between remains to be asked.
        self._lane.is_probe, self._is_clean, self._granted_s = probing, reply.clean, turns._now_s()
        return told_s

    async def _report(self, answer: Answer) -> None:
        probe, self._lane.is_probe = self.is_probe, False
        if answer.welcome is Welcome.CHALLENGED:
            if probe:  # the one visit that was to tell whether the shop lets anybody in
                answer = replace(answer, welcome=Welcome.BLOCKED)
            elif not answer.pause_s(self._platform.workflow.rate_limit):
                return  # it says nothing of the pace
        if not (self._is_clean and answer.welcome is Welcome.GOOD):
            await self._turns._pace.report(self._platform, answer, probe=probe)
