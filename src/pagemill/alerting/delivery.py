"""Sends the alerts in the fleet's history to the configured channels, with one thread for each channel.

Several API processes share the work, and each alert is sent once over each of its channels. A failed try is repeated
after growing pauses until the alert is given up. An alert is sent twice, with the same id, only if a process dies or
loses Redis between sending it and recording that. `channels` does the sending, `inbox` keeps the state in Redis.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from redis import Redis, RedisError

from pagemill.alerting.alert import Alert
from pagemill.alerting.channels import AlertChannelSender
from pagemill.alerting.inbox import Inbox, Parcel, drop_other_groups
from pagemill.broker.outage import Outage
from pagemill.config.alert_channels import AlertChannel, address_key
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("alerts")

_JOIN_S = 10.0
_AWAY_S = 2.0
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class DeliveryPace:
    """Time limits and pauses of delivery."""

    timeout_s: float = 20.0
    """The limit for one try."""
    first_pause_s: float = 1.0
    """The pause after the first failed try. It doubles with each further one,"""
    longest_pause_s: float = 300.0
    """up to this."""
    most_tries: int = 50
    longest_s: float = 24 * 3600.0
    """Older alerts are given up."""
    takeover_s: float = 60.0
    """After this time another process may take over an alert that one is sending; longer than a try."""
    wait_s: float = 1.0
    """How long one read waits for new alerts."""
    gap_s: float = 1.0
    """The pause between two alerts of one channel; most services allow one message a second."""

    def pause_after_s(self, tries: int) -> float:
        """The pause after so many tries."""
        return float(min(self.longest_pause_s, self.first_pause_s * 2 ** min(tries - 1, 30)))


class AlertDelivery:
    """One process' share of the delivery. Use `open` and `close`, or a `with` block."""

    def __init__(
        self,
        redis: Redis,
        channels: Mapping[str, AlertChannel],
        urls: Mapping[str, str],
        consumer: str,
        pace: DeliveryPace | None = None,
    ) -> None:
        """
        Args:
            redis: fails within seconds, so that `close` need not wait; all threads use it.
            channels: by name, as configured.
            urls: addresses by channel, from `Environment.alert_urls`.
            consumer: a name that no other process has or had.
            pace: time limits and pauses.

        Raises:
            UsageError: apprise does not understand an address.
        """
        pace = pace or DeliveryPace()
        outage = Outage()
        self._redis = redis
        self._names = frozenset(channels)
        self._carriers = [
            _Carrier(
                name,
                Inbox(redis, name, consumer, pace.pause_after_s, pace.takeover_s),
                AlertChannelSender(name, channel.kind, urls[address_key(name)], pace.timeout_s),
                pace,
                outage,
            )
            for name, channel in channels.items()
        ]

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Starts one thread for each channel. If Redis is away, the threads wait for it."""
        with suppress(RedisError):
            drop_other_groups(self._redis, self._names)
        for carrier in self._carriers:
            carrier.start()

    def close(self) -> None:
        """Ends the threads within ten seconds. Other processes take over what was being sent."""
        for carrier in self._carriers:
            carrier.stop.set()
        deadline_s = time.monotonic() + _JOIN_S
        for carrier in self._carriers:
            carrier.join(max(0.0, deadline_s - time.monotonic()))


class _Carrier:
    """One channel's thread: takes alerts from the inbox and sends them one by one."""

    def __init__(
        self, channel: str, inbox: Inbox, sender: AlertChannelSender, pace: DeliveryPace, outage: Outage
    ) -> None:
        self.stop = threading.Event()
        self._channel = channel
        self._inbox = inbox
        self._sender = sender
        self._pace = pace
        self._outage = outage
        self._is_open = False
        self._told: dict[str, None] = {}
        """Entries that were sent but perhaps not recorded in Redis; they are not sent again."""
        self._thread = threading.Thread(target=self._run, name=f"alerts-{channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self.stop.is_set():
            if self._watched(self._step):
                continue
            self._is_open = False
            self.stop.wait(_AWAY_S)
        if self._is_open:
            with suppress(RedisError):
                self._inbox.close()

    def _watched(self, step: Callable[[], object]) -> bool:
        """Runs the step; whether it raised nothing."""
        try:
            step()
        except RedisError as error:
            # A missing consumer group means that somebody has emptied Redis. That is no outage: `open` creates the
            # group.
            if not str(error).startswith("NOGROUP"):
                self._outage.note(error)
            return False
        except Exception:
            log.exception(events.UNEXPECTED, where="delivering alerts", channel=self._channel)
            return False
        self._outage.over()
        return True

    def _step(self) -> None:
        if not self._is_open:
            self._inbox.open()
            self._is_open = True
        parcel = self._inbox.take(self._pace.wait_s)
        if parcel is not None and self._handle(parcel):
            self.stop.wait(self._pace.gap_s)

    def _handle(self, parcel: Parcel) -> bool:
        """Sends, drops or gives up one alert; whether it was sent, successfully or not."""
        alert = parcel.alert
        if alert is None:
            self._give_up(parcel, "it left the history before it could be told")
        elif not alert.goes_to(self._channel) or parcel.entry in self._told:
            self._inbox.settle(parcel)
        elif parcel.age_s > self._pace.longest_s:
            self._give_up(parcel, f"it is older than {self._pace.longest_s / 3600:g} hours")
        else:
            self._tell(parcel, alert)
            return True
        return False

    def _tell(self, parcel: Parcel, alert: Alert) -> None:
        outcome = self._sender.send(alert, self.stop)
        if outcome is None:
            return
        known = {"channel": self._channel, "alert": alert.name, "id": alert.id, "tries": parcel.tries}
        if outcome.delivered:
            self._remember(parcel.entry)
            log.info(events.ALERT_DELIVERED, **known, age_s=round(parcel.age_s, 1))
            self._inbox.settle(parcel)
        elif parcel.tries >= self._pace.most_tries:
            self._give_up(parcel, outcome.reason)
        elif parcel.tries == 1:
            log.warning(events.ALERT_UNDELIVERED, **known, reason=outcome.reason, given_up=False)

    def _give_up(self, parcel: Parcel, reason: str) -> None:
        if self._inbox.settle(parcel):
            told = {} if parcel.alert is None else {"alert": parcel.alert.name, "id": parcel.alert.id}
            known = {"channel": self._channel, **told, "tries": parcel.tries}
            log.error(events.ALERT_UNDELIVERED, **known, entry=parcel.entry, reason=reason, given_up=True)

    def _remember(self, entry: str) -> None:
        self._told[entry] = None
        if len(self._told) > _MOST_REMEMBERED:
            del self._told[next(iter(self._told))]
