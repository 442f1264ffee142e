"""Sends the alerts that a process raises, each at most once per cooldown. The fleet shares the cooldowns, in Redis.

Decides nothing: whoever raises an alert has decided that somebody should know. The desk writes the alert to the log and
to the fleet's history. The API's process reads the history and serves the other channels. Raising an alert never fails
and waits no longer than the Redis connection's own deadlines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from redis import Redis, RedisError

from pagemill.alerting.alert import Alert, alert_kind_of, encode
from pagemill.alerting.history import FIELD, KEPT, STREAM
from pagemill.config.settings import AlertSettings
from pagemill.script_files import read_script
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("alerts")

_COOLDOWN = "pagemill:alert:"
_LONGEST = 1000
_MOST_LOCAL = 256

_RAISE = read_script(__file__, "take_cooldown.lua", "drop_list.lua", "add_alert.lua")

Channel = Callable[[Alert], None]
"""Sends an alert without delay. If one channel fails, the others still get the alert."""


def log_alert(alert: Alert) -> None:
    """The built-in channel: writes one log line at the alert's level, unless the alert's rule leaves the log out."""
    if not alert.goes_to("log"):
        return
    write = {"info": log.info, "warning": log.warning}.get(alert.level, log.critical)
    place = {"scope": alert.scope} if alert.scope else {}
    known = {"alert": alert.name, "message": alert.message, "worker": alert.worker}
    write(events.ALERT, **{**alert.facts, **place, **known})


class AlertDesk:
    """The parts of a process raise their alerts here. May be used from any thread."""

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
            redis: fails within seconds, because whoever raises an alert waits for it.
            settings: whether alerts are sent, and the cooldown between two of the same.
            worker: the name of the process that raises them.
            channels: what each alert is given to at once, in this order.
            now: the time of day, with its zone.
            now_s: monotonic seconds.
        """
        self._raise = redis.register_script(_RAISE)
        self._enabled = settings.enabled
        self._cooldown_minutes = settings.cooldown_minutes
        self._worker = worker
        self._channels = tuple(channels)
        self._now = now
        self._now_s = now_s
        self._lock = threading.Lock()
        self._quiet_until_s: dict[str, float] = {}

    @property
    def enabled(self) -> bool:
        """Whether alerts are sent at all."""
        return self._enabled

    @property
    def cooldown_minutes(self) -> float:
        """Minutes between two alerts of the same kind, for alerts without a cooldown of their own."""
        return self._cooldown_minutes

    def configure(self, settings: AlertSettings) -> None:
        """Applies other settings. May be called from any thread."""
        self._enabled = settings.enabled
        self._cooldown_minutes = settings.cooldown_minutes

    def raise_alert(self, name: str, level: str, message: str, *, scope: object = "", **facts: object) -> bool:
        """Sends an alert, unless a worker of the fleet has sent the same one within the cooldown.

        While Redis is away, this process keeps the cooldown itself. An alert may then be sent once per worker, and it
        reaches only the log: it is missing in `recent_alerts` and in every other channel.

        Args:
            name: what it is about. Alerts with the same name and `scope` are the same alert.
            level: `warning` or worse.
            message: a sentence for people; cut after 1000 characters.
            scope: the platform or role that is in trouble, if not all of them are.
            facts: small values for the log line and the history.

        Returns:
            Whether it was sent.
        """
        kind = alert_kind_of(name, level)
        alert = Alert(name, level, message, self._worker, self._now(), str(scope), facts, kind=kind)
        return self._let_out(_key_of(alert), alert, self._cooldown_minutes)

    def raise_by_rule(self, alert: Alert, cooldown_minutes: float | None = None) -> bool:
        """Sends an alert that a rule raises. It is sent as given, with a new id.

        Args:
            alert: its name is the rule's. A rule and a worker may use the same name without silencing each other.
            cooldown_minutes: the rule's own cooldown; the settings' cooldown if it has none.
        """
        minutes = self._cooldown_minutes if cooldown_minutes is None else cooldown_minutes
        return self._let_out(f"rule:{_key_of(alert)}", alert, minutes)

    def tell_once(self, alert: Alert, remembered_s: float) -> bool:
        """Sends news instead of trouble: no cooldown applies, but one id is sent only once.

        Args:
            alert: its id identifies the news.
            remembered_s: how many seconds the id is remembered.

        Returns:
            Whether it was sent now; if not, it had been sent before.

        Raises:
            RedisError: it was not sent; the caller tries again later.
        """
        told = replace(alert, message=alert.message[:_LONGEST])
        goes_out = self._claim(f"told:{alert.id}", told, remembered_s)
        if goes_out:
            self._pass_on(told)
        return goes_out

    def _let_out(self, key: str, asked: Alert, cooldown_minutes: float) -> bool:
        if not self._enabled or self._is_quiet(key):
            return False
        cooldown_s = cooldown_minutes * 60
        alert = replace(asked, message=asked.message[:_LONGEST], id=uuid4().hex)
        begun_s = self._now_s()
        try:
            goes_out = self._claim(key, alert, cooldown_s)
            if goes_out:
                self._claim_here(key, begun_s, cooldown_s)
        except RedisError:
            goes_out = self._claim_here(key, begun_s, cooldown_s)
        if goes_out:
            self._pass_on(alert)
        return goes_out

    def _claim(self, key: str, alert: Alert, cooldown_s: float) -> bool:
        """Starts the fleet's cooldown and adds the alert to the history; false if a cooldown is already running."""
        entry, mark = encode(alert), f"{self._worker} {uuid4().hex}"
        if cooldown_s <= 0:
            return bool(self._raise(keys=[STREAM], args=[entry, mark, KEPT, FIELD]))
        cooldown_ms = max(1, round(cooldown_s * 1000))
        return bool(self._raise(keys=[STREAM, _COOLDOWN + key], args=[entry, mark, KEPT, FIELD, cooldown_ms]))

    def _claim_here(self, key: str, begun_s: float, cooldown_s: float) -> bool:
        """Starts this process' own cooldown; false if one is already running."""
        if cooldown_s <= 0:
            return True
        with self._lock:
            if self._quiet_until_s.get(key, 0.0) > self._now_s():
                return False
            self._quiet_until_s.pop(key, None)
            if len(self._quiet_until_s) >= _MOST_LOCAL:
                del self._quiet_until_s[min(self._quiet_until_s, key=self._quiet_until_s.__getitem__)]
            self._quiet_until_s[key] = begun_s + cooldown_s
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


def _key_of(alert: Alert) -> str:
    return f"{alert.name}:{alert.scope}" if alert.scope else alert.name
