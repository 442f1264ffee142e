"""Brings alerts from the fleet's history to the configured channels, each on a thread of its own.

Several API processes share the work: each alert is told once over each channel that it goes to, and what cannot be
told is tried again with growing pauses until it is given up. Only a process that dies, or loses Redis, between telling
and noting it makes an alert come twice; its id is the same then. How a channel is told is `channels'`, what Redis
keeps is `inbox's`.
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
    """How patient delivery is."""

    timeout_s: float = 20.0
    """Of one try."""
    first_pause_s: float = 1.0
    """After a first try that failed; it doubles each time"""
    longest_pause_s: float = 300.0
    """and grows no longer than this."""
    most_tries: int = 50
    longest_s: float = 24 * 3600.0
    """An alert that is older is given up."""
    takeover_s: float = 60.0
    """After so long another process may take what one had in hand; longer than a try."""
    wait_s: float = 1.0
    """How long one look for new alerts waits."""
    gap_s: float = 1.0
    """Between two alerts of one channel; most services allow one message a second."""

    def pause_after_s(self, tries: int) -> float:
        """How long an alert rests after so many tries."""
        return float(min(self.longest_pause_s, self.first_pause_s * 2 ** min(tries - 1, 30)))


class AlertDelivery:
    """One process' part in delivering. `open` it, `close` it, or use it in a `with`."""

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
            redis: should fail within seconds, so that `close` need not wait; it is used by all the threads.
            channels: by name, as configured.
            urls: addresses, as `Environment.alert_urls` has them.
            consumer: a name that no other process has, nor had.
            pace: how patient it is.

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
        """Starts a thread for each channel; a Redis that is away is waited for there."""
        with suppress(RedisError):
            drop_other_groups(self._redis, self._names)
        for carrier in self._carriers:
            carrier.start()

    def close(self) -> None:
        """Ends the threads and waits for them, ten seconds at most; a try under way is left to other processes."""
        for carrier in self._carriers:
            carrier.stop.set()
        deadline_s = time.monotonic() + _JOIN_S
        for carrier in self._carriers:
            carrier.join(max(0.0, deadline_s - time.monotonic()))


class _Carrier:
    """One channel's thread: takes alerts from the inbox and tells them, one after another."""

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
        """Entries that were told, in case Redis was away when that should have been noted."""
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
        """Whether the step was taken without trouble."""
        try:
            step()
        except RedisError as error:
            # Without its group somebody has emptied Redis, which is no outage: opening makes the group anew.
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
        """Deals with one alert; whether the channel was asked to tell it."""
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
