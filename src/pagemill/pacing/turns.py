"""When a lane may make its next visit. Owns the waits between visits; knows nothing of pages or products."""

from __future__ import annotations

import asyncio
import math
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from types import TracebackType

from pagemill.config.platform import Platform
from pagemill.errors import TurnDenied
from pagemill.pacing.fleet_pace import PaceReply, RedisFleetPace
from pagemill.pacing.stoppable_wait import sleep_unless, unless
from pagemill.pacing.visit_answer import VisitAnswer, Welcome
from pagemill.pacing.waiting_room import WaitingRoom

_LONG_S = 30.0
"""If a platform is closed for longer, its batch goes back to the queue."""
_LOOK_S = 5.0
"""How long to wait before asking for a closed platform again: somebody may have opened it meanwhile."""
_LATE_S = 1.0
"""A place that was missed by more than this is given up: a visit could be too close to the next place."""
_GIVE_BACK_S = 1.0
"""How long a lane waits for Redis to take its seat back. After that, the attempt goes on in the background."""


class Turns:
    """The turns of one worker's lanes. A lane's wait outlives the batch: it is between visits, not between items."""

    def __init__(
        self,
        pace: RedisFleetPace,
        *,
        now_s: Callable[[], float] = time.monotonic,
        draw: Callable[[int, int], int] = random.randint,
        on_wait: Callable[[str, float], None] = lambda _platform, _seconds: None,
        on_late: Callable[[str, float], None] = lambda _platform, _seconds: None,
    ) -> None:
        """
        Args:
            pace: what every worker on every machine shares; asked for each visit.
            now_s: monotonic seconds.
            draw: a whole number between two others, both included, drawn evenly.
            on_wait: called with the platform and the seconds of each wait that has ended.
            on_late: called at each visit, with the platform and by how many seconds the visit begins later than the
                lane's own wait and the fleet allowed.
        """
        self._pace = pace
        self._now_s = now_s
        self._on_wait = on_wait
        self._on_late = on_late
        self._draw = draw
        self._next_s: dict[tuple[str, int], float] = {}
        """The earliest moment of the next visit, by platform and lane."""
        self._begins_s: dict[str, float] = {}
        """The earliest moment at which a rested lane may begin, by platform."""
        self._probing: set[tuple[str, int]] = set()
        """Lanes whose visit tries whether the breaker may close, until its answer is reported."""
        self._slow: dict[str, float] = {}
        """The factor by which each platform's waits are stretched, as the fleet said last."""
        self._rooms: dict[str, WaitingRoom] = {}
        worker = secrets.token_hex(8)
        self._seats = (f"{worker}:{number}" for number in count())
        self._leaving: set[asyncio.Task[None]] = set()

    def turn(
        self,
        platform: Platform,
        lane: int,
        stop: asyncio.Event,
        soon: Callable[[], None] = lambda: None,
        soon_s: float = 0.0,
    ) -> Turn:
        """That lane's next turn, to be entered with `async with`. If the lane has to wait, `soon` is called `soon_s`
        seconds before the turn may come."""
        if platform.workflow.concurrency.fleet is None:
            return Turn(self, platform, lane, stop, soon, soon_s)
        room = self._rooms.setdefault(platform.platform, WaitingRoom())
        return Turn(self, platform, lane, stop, soon, soon_s, next(self._seats), room)

    def may_come(self, platform: Platform, lanes: int) -> bool:
        """Whether one of so many lanes may visit at once according to its own wait. The fleet may still say no."""
        now_s, name = self._now_s(), platform.platform
        own_s = min((self._next_s.get((name, lane), -math.inf) for lane in range(lanes)), default=math.inf)
        return max(own_s, self._begins_s.get(name, -math.inf)) <= now_s

    def _own_s(self, platform: Platform, lane: tuple[str, int], now_s: float) -> float:
        """When that lane may visit according to its own wait.

        Lanes that have rested begin one after another, spread over their wait. So a shop never sees all of them at
        once, and the lanes of several shops that begin together do not stay in step.
        """
        limit = platform.workflow.rate_limit
        wait_s = limit.wait_time_ms.low_ms / 1000 if limit.enabled else 0.0
        next_s = self._next_s.get(lane, -math.inf)
        if not wait_s or now_s - next_s < wait_s:
            return next_s
        begins_s = min(max(now_s, self._begins_s.get(platform.platform, -math.inf)), now_s + wait_s)
        self._begins_s[platform.platform] = begins_s + wait_s / platform.workflow.concurrency.default
        self._next_s[lane] = begins_s
        return begins_s

    def _wait_after_visit(self, platform: Platform, lane: tuple[str, int]) -> None:
        """Draws the wait from now until that lane's next visit."""
        limit = platform.workflow.rate_limit
        if limit.enabled:
            wait_ms = self._draw(limit.wait_time_ms.low_ms, limit.wait_time_ms.high_ms)
            self._next_s[lane] = self._now_s() + wait_ms / 1000 * self._slow.get(platform.platform, 1.0)


class Turn:
    """A lane's turn at a platform: the right to make one visit.

        async with turns.turn(platform, lane, stop) as turn:
            ...  # whatever the visit needs
            await turn.begin()
            ...  # the visit
            turn.answer = ...

    Entering waits until the turn comes, with a seat if the platform has seats. At the end, the seat is given back, and
    the fleet hears the answer and slows down, pauses or goes on accordingly. If the visit had begun, the wait until the
    lane's next turn is drawn and starts now.
    """

    def __init__(
        self,
        turns: Turns,
        platform: Platform,
        lane: int,
        stop: asyncio.Event,
        soon: Callable[[], None],
        soon_s: float,
        seat: str = "",
        room: WaitingRoom | None = None,
    ) -> None:
        self._turns = turns
        self._platform = platform
        self._lane = platform.platform, lane
        self._stop = stop
        self._soon = soon
        self._soon_s = soon_s
        self._seat = seat
        self._room = room
        self._has_seat = self._may_have_seat = False
        self._is_clean = True
        self._has_begun = False
        self._due_s = self._told_s = self._granted_s = -math.inf
        self.answer: VisitAnswer | None = None
        """How the shop took the visit; to be set if that is known."""

    @property
    def is_probe(self) -> bool:
        """Whether this visit tries whether the breaker may close."""
        return self._lane in self._turns._probing

    async def __aenter__(self) -> Turn:
        """Waits until the turn comes.

        Raises:
            TurnDenied: `stop` was set before the turn came, or the platform must be left alone for long.
        """
        turns, asked_s = self._turns, self._turns._now_s()
        own_s = turns._own_s(self._platform, self._lane, asked_s)
        try:
            await self._wait(own_s - asked_s)
            await unless(self._stop, self._take())
        except BaseException:
            self._leave()
            raise
        finally:
            turns._on_wait(self._platform.platform, turns._now_s() - asked_s)
        self._due_s = max(asked_s, own_s, self._told_s)
        return self

    async def begin(self) -> None:
        """Must be called right before the visit. Waits for another turn if this one, or its seat, was lost meanwhile.

        Raises:
            TurnDenied: as on entering.
        """
        is_limited = self._platform.workflow.rate_limit.fleet_per_minute is not None
        if is_limited and self._turns._now_s() - self._granted_s > _LATE_S:
            await unless(self._stop, self._take())
        if self._seat:
            await unless(self._stop, self._keep_seat())
        self._has_begun = True
        self._turns._on_late(self._platform.platform, max(0.0, self._turns._now_s() - self._due_s))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_begun:
            self._turns._wait_after_visit(self._platform, self._lane)
        if (leaving := self._leave()) is not None:
            await asyncio.wait((leaving,), timeout=_GIVE_BACK_S)
        if error is None and self.answer is not None:
            await self._report(self.answer)

    async def _wait(self, seconds: float) -> None:
        """Waits for the lane's own time."""
        if seconds > self._soon_s:
            await sleep_unless(self._stop, seconds - self._soon_s)
            self._soon()
        await sleep_unless(self._stop, min(seconds, self._soon_s))

    async def _take(self) -> None:
        """Waits until the fleet lets the visit take place."""
        turns, platform = self._turns, self._platform
        place, probing, place_s = True, self.is_probe, math.inf
        while True:
            reply = await self._ask(place=place, probing=probing)
            turns._slow[platform.platform] = reply.slow
            now_s = turns._now_s()
            self._told_s = now_s + reply.wait_s if reply.wait_s > 0 else min(self._told_s, now_s)
            if not reply.may_go:
                if reply.wait_s > _LONG_S:
                    raise TurnDenied(f"{platform.platform} is left alone for {reply.wait_s:.0f} s")
                place = True
                await asyncio.sleep(min(reply.wait_s, _LOOK_S))
                continue
            if place:
                place_s = now_s + reply.wait_s
            await asyncio.sleep(max(0.0, reply.wait_s))
            probing = probing or reply.word == "probe"
            place = turns._now_s() - place_s > _LATE_S  # Redis may have answered late
            if not place and (reply.wait_s == 0 or probing):
                break
            # The place is taken. Now only ask whether something has happened meanwhile, such as a pause.
        self._is_clean, self._granted_s = reply.clean, turns._now_s()
        if probing:
            turns._probing.add(self._lane)

    async def _ask(self, *, place: bool, probing: bool) -> PaceReply:
        """The fleet's answer. If no seat is free, the answer once there is one."""
        ask, room = self._turns._pace.ask, self._room
        if room is None:
            return await ask(self._platform, place=place, probing=probing)
        if self._has_seat:  # another lane may be waiting for this very seat
            reply = await ask(self._platform, place=place, probing=probing, seat=self._seat)
        else:
            has_waited, self._may_have_seat = room.door.locked(), True
            async with room.door:
                room.forget()
                while (reply := await ask(self._platform, place=place, probing=probing, seat=self._seat)).is_full:
                    has_waited = True
                    await room.rest(reply.wait_s)
                    room.forget()
            if has_waited:
                self._told_s = self._turns._now_s()
        self._has_seat = reply.may_go
        return reply

    async def _keep_seat(self) -> None:
        while not await self._turns._pace.keep(self._platform, self._seat):
            self._has_seat = False
            await self._take()

    def _leave(self) -> asyncio.Task[None] | None:
        """Starts to give back the seat, or the ticket for one."""
        room = self._room
        if room is None or not self._may_have_seat:
            return None
        leaving = asyncio.create_task(self._turns._pace.leave(self._platform, self._seat))
        self._turns._leaving.add(leaving)
        leaving.add_done_callback(self._turns._leaving.discard)
        leaving.add_done_callback(lambda _done: room.tell())
        return leaving

    async def _report(self, answer: VisitAnswer) -> None:
        probe = self.is_probe
        self._turns._probing.discard(self._lane)
        if answer.welcome is Welcome.CHALLENGED:
            if probe:  # the visit that had to show whether the shop lets anybody in
                answer = replace(answer, welcome=Welcome.BLOCKED)
            elif not answer.pause_s(self._platform.workflow.rate_limit):
                return  # it does not concern the pace
        if not (self._is_clean and answer.welcome is Welcome.GOOD):
            await self._turns._pace.report(self._platform, answer, probe=probe)
