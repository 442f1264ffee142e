"""Alerts: which of them go out, and what went out lately. One cooldown for the whole fleet, kept in Redis.

Judges nothing: whoever raises an alert has decided that somebody should know. How one is passed on is a channel's
business; the log is the first. Raising one never fails and waits no longer than the Redis connection's own deadlines.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from redis import Redis, RedisError

from pagemill.config.settings import AlertSettings
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("alerts")

_HISTORY = "pagemill:alerts"
_COOLDOWN = "pagemill:alert:"
_KEPT = 1000
_LONGEST = 1000
_MOST_LOCAL = 256

_RAISE = """
if KEYS[2] then
    local held = redis.call('GET', KEYS[2])
    if held then return held == ARGV[2] and 1 or 0 end
    redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
end
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, ARGV[3] - 1)
return 1
"""
"""Takes the cooldown and adds to the history in one step. The client repeats a command whose answer was lost: then the
mark is this very call's own, and the alert goes out instead of counting as somebody else's."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that went out."""

    name: str
    """What it is about, such as `leak`: few and fixed."""
    level: str
    """`warning`, `critical` or `emergency`."""
    message: str
    worker: str
    at: datetime
    scope: str = ""
    """What apart from the name makes it another alert, such as a platform."""
    facts: Mapping[str, Any] = field(default_factory=dict)


Channel = Callable[[Alert], None]
"""Passes an alert on, quickly; one that fails does not keep the others from it."""


def log_alert(alert: Alert) -> None:
    """The channel that is always there: one line at the alert's own level."""
    write = log.warning if alert.level == "warning" else log.critical
    place = {"scope": alert.scope} if alert.scope else {}
    known = {"alert": alert.name, "message": alert.message, "worker": alert.worker}
    write(events.ALERT, **{**alert.facts, **place, **known})


class AlertDesk:
    """Where a worker's parts raise alerts. May be used from any thread."""

    def __init__(
        self,
        redis: Redis,
        settings: AlertSettings,
        worker: str,
        channels: Sequence[Channel] = (log_alert,),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            redis: should fail within seconds, as nobody else waits for an alert.
            settings: whether, and how often the same one.
            worker: who raises.
            channels: who passes alerts on, in this order.
            now: the time of day, with its zone.
            now_s: monotonic seconds.
        """
        self._raise = redis.register_script(_RAISE)
        self._enabled = settings.enabled
        self._cooldown_s = settings.cooldown_minutes * 60
        self._worker = worker
        self._channels = tuple(channels)
        self._now = now
        self._now_s = now_s
        self._lock = threading.Lock()
        self._quiet_until_s: dict[str, float] = {}

    def raise_alert(self, name: str, level: str, message: str, *, scope: object = "", **facts: object) -> bool:
        """Tells somebody, unless a worker of the fleet has done so within the cooldown.

        While Redis is away, this worker's own memory decides: an alert may go out once per worker then, and is missing
        in `recent_alerts`, but it is not lost.

        Args:
            name: what it is about; with `scope` it says which alerts are the same one.
            level: `warning`, or something worse.
            message: a sentence for people; the first 1000 characters count.
            scope: a platform, a role: what may be in trouble while its neighbours are not.
            facts: small values for the log line and the history.

        Returns:
            Whether it went out.
        """
        if not self._enabled:
            return False
        key = f"{name}:{scope}" if scope else name
        if self._is_quiet(key):
            return False
        alert = Alert(name, level, message[:_LONGEST], self._worker, self._now(), str(scope), facts)
        begun_s = self._now_s()
        try:
            goes_out = self._claim(key, alert)
            if goes_out:
                self._claim_here(key, begun_s)
        except RedisError:
            goes_out = self._claim_here(key, begun_s)
        if goes_out:
            self._pass_on(alert)
        return goes_out

    def _claim(self, key: str, alert: Alert) -> bool:
        """Whether the fleet's cooldown lets it through; it is in the history then."""
        told = {each.name: getattr(alert, each.name) for each in fields(alert)} | {"at": alert.at.isoformat()}
        entry, mark = json.dumps(told, default=str), f"{self._worker} {uuid4().hex}"
        if self._cooldown_s <= 0:
            return bool(self._raise(keys=[_HISTORY], args=[entry, mark, _KEPT]))
        cooldown_ms = max(1, round(self._cooldown_s * 1000))
        return bool(self._raise(keys=[_HISTORY, _COOLDOWN + key], args=[entry, mark, _KEPT, cooldown_ms]))

    def _claim_here(self, key: str, begun_s: float) -> bool:
        """Whether this desk's own cooldown lets it through; it begins then."""
        if self._cooldown_s <= 0:
            return True
        with self._lock:
            if self._quiet_until_s.get(key, 0.0) > self._now_s():
                return False
            self._quiet_until_s.pop(key, None)
            if len(self._quiet_until_s) >= _MOST_LOCAL:
                # The first is the next to end: all last equally long.
                del self._quiet_until_s[next(iter(self._quiet_until_s))]
            self._quiet_until_s[key] = begun_s + self._cooldown_s
            return True

    def _is_quiet(self, key: str) -> bool:
        with self._lock:
            return self._quiet_until_s.get(key, 0.0) > self._now_s()

    def _pass_on(self, alert: Alert) -> None:
        for channel in self._channels:
            try:
                channel(alert)
            except Exception:
                log.exception(events.UNEXPECTED, where="passing an alert on", alert=alert.name)


def recent_alerts(redis: Redis, count: int = 50) -> list[Alert]:
    """What the whole fleet raised lately, the newest first; at most a thousand are kept.

    Raises:
        RedisError: Redis does not answer.
    """
    entries = redis.lrange(_HISTORY, 0, count - 1) if count > 0 else []
    return [_decode(entry) for entry in entries]


def _decode(entry: bytes | str) -> Alert:
    # While a fleet is renewed step by step, newer workers tell more than is known here yet.
    known = {each.name for each in fields(Alert)}
    told = {name: value for name, value in json.loads(entry).items() if name in known}
    return Alert(**{**told, "at": datetime.fromisoformat(told["at"])})
