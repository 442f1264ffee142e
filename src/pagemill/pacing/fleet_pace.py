"""How fast the whole fleet visits each platform. Redis keeps the state, on its own clock, for all workers.

This module calls the scripts of `pace_script` and decides what a worker does while Redis is away. It does not wait for
turns: `turns` does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from pagemill.config.platform import Platform
from pagemill.pacing.pace_script import KEY_PREFIX, REPORT, TURN
from pagemill.pacing.seat_script import KEEP_SEAT, LEAVE_SEAT, LINE, SEATS
from pagemill.pacing.visit_answer import VisitAnswer
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("pacing")

_RETRY_S = 1.0
_SPARED_S = 5.0
"""After a call failed, how long Redis is left alone. Only for platforms that may be visited without its answer."""
_FRESH_S = 0.25
"""How long an answer is used again, for platforms without a limit of the fleet. Else every
visit would ask Redis."""
_HORIZON_US = 2_000_000
"""The longest wait for which a place is taken, in microseconds. A lane that would wait longer asks again: by then the
platform may be paused."""
_MINUTE_US = 61_250_000
"""The length of a minute when places are dealt out, in microseconds. It is longer than 60 s because a request reaches
the shop up to a second early or late, and no minute by the shop's clock may hold more visits than allowed."""
_VISIT_GRACE_S = 30.0
"""Seconds that a visit may take beyond `navigation.timeout_ms`: saving a screenshot and the HTML takes time too."""
_SEAT_S = 5.0
"""Seconds that a seat is kept for a visit that has not begun. Opening its page may take that long."""
_PROMPT_S = 2.0
"""An answer about a seat that took more seconds than this is too old: the seat is asked for again."""

_CHANGES = {
    "paused": events.PLATFORM_PAUSED,
    "opened": events.BREAKER_OPENED,
    "closed": events.BREAKER_CLOSED,
    "slower": events.SLOWED_DOWN,
    "faster": events.SPED_UP,
}


@dataclass(frozen=True, slots=True)
class PaceReply:
    """What Redis answers a lane that asks for a turn."""

    word: str
    """`go`, or `probe` for the one visit that tries whether the breaker may close. `paused` or `open`: no visit is
    allowed. `later`: ask again. `full`: there is no seat, ask again."""
    wait_s: float
    """Seconds until the visit, or until it makes sense to ask again."""
    slow: float
    """By how much to stretch waits, from 1."""
    clean: bool
    """Whether all is well, so that good answers need not be reported."""

    @property
    def may_go(self) -> bool:
        """Whether the visit is allowed, after the wait."""
        return self.word in ("go", "probe")

    @property
    def is_full(self) -> bool:
        """Whether only a seat is missing."""
        return self.word == "full"


_ON_ONES_OWN = PaceReply("go", 0.0, 1.0, clean=True)


class RedisFleetPace:
    """Asks Redis for turns. While Redis is away, lanes of platforms with a limit wait, so that no limit is ever
    passed."""

    def __init__(self, client: redis.Redis, now_s: Callable[[], float] = time.monotonic) -> None:
        """`client` must give up within seconds, so that a lane can be stopped while Redis is away."""
        self._turn = client.register_script(TURN)
        self._report = client.register_script(REPORT)
        self._keep = client.register_script(KEEP_SEAT)
        self._leave = client.register_script(LEAVE_SEAT)
        self._now_s = now_s
        self._spared_until_s = 0.0
        self._fresh: dict[str, tuple[PaceReply, float]] = {}
        """By platform: the latest answer that took no place, and until when it may be used again."""
        self._asking: dict[str, asyncio.Future[Any]] = {}
        """By seat: the call that is under way. It may still take the seat after its lane has stopped waiting."""

    async def ask(self, platform: Platform, *, place: bool, probing: bool = False, seat: str = "") -> PaceReply:
        """Asks for a visit's turn.

        Without Redis a platform with `max_per_minute` or `concurrency.fleet` waits until it is back; others go on at
        their own pace.

        Args:
            platform: to be visited.
            place: `True` takes a place of `max_per_minute`; `False` only asks whether visits are allowed.
            probing: whether this visit is the probe that tries if the breaker may close.
            seat: a name that no other visit has, for platforms with `concurrency.fleet`. The seat is taken when the
                visit may go; call `keep` within 5 s after its place, or it is lost.
        """
        workflow = platform.workflow
        per_minute = workflow.rate_limit.fleet_per_minute
        share_us = _MINUTE_US // per_minute + 1 if per_minute is not None and place else 0
        seats = workflow.concurrency.fleet or 0
        seat_us = round(_SEAT_S * 1_000_000)
        arguments: list[int | str] = [share_us, _HORIZON_US, _visit_us(platform), int(probing), seats, seat, seat_us]
        while True:
            if not workflow.must_ask and (known := self._known(platform, probing=probing)) is not None:
                return known
            try:
                word, wait_us, slow, clean = await self._call(self._turn, platform, arguments, seat)
            except redis.RedisError as error:
                log.warning(events.PACING_WAITS, platform=platform.platform, error=str(error))
                if not workflow.must_ask:
                    self._spared_until_s = self._now_s() + _SPARED_S
                    return _ON_ONES_OWN
                await asyncio.sleep(_RETRY_S)
                continue
            reply = PaceReply(word.decode(), int(wait_us) / 1_000_000, float(slow), bool(clean))
            if not workflow.must_ask and reply.word == "go":
                self._fresh[platform.platform] = reply, self._now_s() + _FRESH_S
            return reply

    async def keep(self, platform: Platform, seat: str) -> bool:
        """Keeps a visit's seat for the longest time that the visit can take. Call it right before the visit. Waits
        while Redis is away.

        Returns:
            `False` if the seat had run out: another visit may have it now.
        """
        while True:
            asked_s = self._now_s()
            try:
                kept = await self._call(self._keep, platform, [seat, _visit_us(platform)], seat)
            except redis.RedisError as error:
                log.warning(events.PACING_WAITS, platform=platform.platform, error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if self._now_s() - asked_s <= _PROMPT_S:
                return bool(kept)

    async def leave(self, platform: Platform, seat: str) -> None:
        """Gives a seat back, or the place in the line for one. Tries until Redis answers or the seat has run out."""
        runs_out_s = self._now_s() + _visit_us(platform) / 1_000_000
        if (asking := self._asking.pop(seat, None)) is not None:
            await asyncio.gather(asking, return_exceptions=True)
        while self._now_s() < runs_out_s:
            try:
                await asyncio.to_thread(self._leave, keys=_keys(platform), args=[seat])
            except redis.RedisError as error:
                log.warning(events.PACING_WAITS, platform=platform.platform, error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def _call(
        self, script: Callable[..., Any], platform: Platform, arguments: Sequence[int | str], seat: str
    ) -> Any:
        """What Redis answers. If the lane is cancelled, a call about a seat still runs to its end, and `leave` waits
        for it: else the seat would be taken after it was given back."""
        call = asyncio.ensure_future(asyncio.to_thread(script, keys=_keys(platform), args=list(arguments)))
        if not seat:
            return await call
        self._asking[seat] = call
        return await asyncio.shield(call)

    def _known(self, platform: Platform, *, probing: bool) -> PaceReply | None:
        """The answer for a platform without a limit of the fleet, if Redis need not be asked: it is away, or has just
        answered."""
        now_s = self._now_s()
        if now_s < self._spared_until_s:
            return _ON_ONES_OWN
        reply, until_s = self._fresh.get(platform.platform, (_ON_ONES_OWN, 0.0))
        return reply if now_s < until_s and not probing else None

    async def report(self, platform: Platform, answer: VisitAnswer, *, probe: bool) -> None:
        """Reports how the shop answered a visit. If Redis is away, the report is dropped."""
        workflow = platform.workflow
        breaker, slow_down = workflow.breaker, workflow.slow_down
        self._fresh.pop(platform.platform, None)
        pause_s = answer.pause_s(workflow.rate_limit)
        why = f"HTTP {answer.status}"
        arguments = [
            answer.welcome.value,
            round(pause_s * 1_000_000),
            why,
            breaker.blocks if breaker.enabled else 0,
            round(breaker.open_s * 1_000_000),
            round(breaker.open_max_s * 1_000_000),
            slow_down.max_factor - 1 if slow_down.enabled else 0,
            int(probe),
        ]
        try:
            slow, closed_us, *changes = await asyncio.to_thread(self._report, keys=_keys(platform), args=arguments)
        except redis.RedisError as error:
            log.warning(events.PACING_WAITS, platform=platform.platform, error=str(error))
            return
        for change in changes:
            log.warning(
                _CHANGES[change.decode()],
                platform=platform.platform,
                seconds=round(int(closed_us) / 1_000_000, 1),
                slow=round(float(slow), 2),
                reason=why if pause_s else answer.welcome.value,
            )


def _keys(platform: Platform) -> list[str]:
    key = KEY_PREFIX + platform.platform
    return [key, key + SEATS, key + LINE]


def _visit_us(platform: Platform) -> int:
    """The longest time that a visit can take."""
    return round((platform.navigation.timeout_ms / 1000 + _VISIT_GRACE_S) * 1_000_000)
