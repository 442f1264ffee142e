"""The pace that every worker on every machine shares, kept in Redis and on Redis' clock.

Owns the calls of `pace_script` and what happens while Redis is away; the waiting is `turns`'.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from pagemill.config.platform import Platform
from pagemill.pacing.answer import Answer
from pagemill.pacing.pace_script import KEY_PREFIX, REPORT, TURN
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("pacing")

_RETRY_S = 1.0
_SPARED_S = 5.0
"""For how long Redis is not asked again, after it was away, where the answer is not needed."""
_FRESH_S = 0.25
"""For how long an answer counts where no place is taken: a hundred visits a second need not ask each time."""
_HORIZON_US = 2_000_000
"""How far ahead a place is taken: a lane that waits for longer may be told something else by then."""
_MINUTE_US = 61_250_000
"""What counts as a minute: pages take up to a second more or less until the shop sees them, and no minute of the shop's
own may hold more visits than are allowed."""
_PROBE_GRACE_S = 30.0

_CHANGES = {
    "paused": events.PLATFORM_PAUSED,
    "opened": events.BREAKER_OPENED,
    "closed": events.BREAKER_CLOSED,
    "slower": events.SLOWED_DOWN,
    "faster": events.SPED_UP,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What Redis says to a lane that wants to visit."""

    word: str
    """`go`, or `probe` for the one visit that tries whether the breaker may close; `paused` or `open`: nobody may;
    `later`: ask again."""
    wait_s: float
    """Until the visit, or until it makes sense to ask again."""
    slow: float
    """By how much to stretch waits, from 1."""
    clean: bool
    """All is well: good answers need not be reported."""

    @property
    def may_go(self) -> bool:
        """Whether the visit may take place, after the wait."""
        return self.word in ("go", "probe")


_ON_ONES_OWN = Reply("go", 0.0, 1.0, clean=True)


class RedisFleetPace:
    """Turns from Redis. While it is away, lanes of limited platforms wait: never faster than allowed."""

    def __init__(self, client: redis.Redis, now_s: Callable[[], float] = time.monotonic) -> None:
        """The client should fail within seconds, so that a lane can be stopped while Redis is away."""
        self._turn = client.register_script(TURN)
        self._report = client.register_script(REPORT)
        self._now_s = now_s
        self._spared_until_s = 0.0
        self._fresh: dict[str, tuple[Reply, float]] = {}
        """Answers that took no place, by platform, with the moment from which they count no more."""

    async def ask(self, platform: Platform, *, place: bool, probing: bool = False) -> Reply:
        """Asks for a visit's turn.

        Without Redis a platform with `max_per_minute` waits until it is back; others go on at their own pace.

        Args:
            platform: to be visited.
            place: whether to take a place of `max_per_minute`, or only to look whether visits are allowed at all.
            probing: whether the asking visit is the probe.
        """
        per_minute = platform.workflow.rate_limit.fleet_per_minute
        share_us = _MINUTE_US // per_minute + 1 if per_minute is not None and place else 0
        probe_us = round((platform.navigation.timeout_ms / 1000 + _PROBE_GRACE_S) * 1_000_000)
        arguments = [share_us, _HORIZON_US, probe_us, int(probing)]
        while True:
            if per_minute is None and (known := self._known(platform, probing=probing)) is not None:
                return known
            try:
                word, wait_us, slow, clean = await asyncio.to_thread(
                    self._turn, keys=[KEY_PREFIX + platform.platform], args=arguments
                )
            except redis.RedisError as error:
                log.warning(events.PACING_WAITS, platform=platform.platform, error=str(error))
                if per_minute is None:
                    self._spared_until_s = self._now_s() + _SPARED_S
                    return _ON_ONES_OWN
                await asyncio.sleep(_RETRY_S)
                continue
            reply = Reply(word.decode(), int(wait_us) / 1_000_000, float(slow), bool(clean))
            if per_minute is None and reply.word == "go":
                self._fresh[platform.platform] = reply, self._now_s() + _FRESH_S
            return reply

    def _known(self, platform: Platform, *, probing: bool) -> Reply | None:
        """What need not be asked where no place is taken: Redis is away, or has just answered."""
        now_s = self._now_s()
        if now_s < self._spared_until_s:
            return _ON_ONES_OWN
        reply, until_s = self._fresh.get(platform.platform, (_ON_ONES_OWN, 0.0))
        return reply if now_s < until_s and not probing else None

    async def report(self, platform: Platform, answer: Answer, *, probe: bool) -> None:
        """Tells the fleet how a visit was taken. What does not reach Redis is forgotten."""
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
            slow, closed_us, *changes = await asyncio.to_thread(
                self._report, keys=[KEY_PREFIX + platform.platform], args=arguments
            )
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
