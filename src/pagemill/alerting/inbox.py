"""The alerts that one channel still has to send: a Redis consumer group on the history, shared by all API processes.

For each alert, Redis remembers which process is sending it, since when, and how often it was tried. So no alert is lost
when a process dies, and all processes keep the same pauses. `channels` sends, `delivery` gives up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis, ResponseError

from pagemill.alerting.alert import Alert
from pagemill.alerting.history import DROP_LIST, KEPT, STREAM, Entries, alerts_of

GROUP_PREFIX = "channel:"
BACKLOG_S = 300
"""A new channel starts with the alerts of the last five minutes, so that it also gets those of the start-up."""
_FORGOTTEN_S = 3600
"""A consumer that has read nothing for this long belongs to a process that is gone."""
_MOST_PENDING = 2 * KEPT


@dataclass(frozen=True, slots=True)
class Parcel:
    """One alert that this process is sending."""

    entry: str
    alert: Alert | None
    """`None` if the alert has left the history or cannot be read."""
    tries: int
    """Including this one."""
    age_s: float


class Inbox:
    """One process' access to one channel's alerts. To be used by one thread. Any call may raise Redis' `RedisError`."""

    def __init__(
        self,
        redis: Redis,
        channel: str,
        consumer: str,
        pause_after_s: Callable[[int], float],
        takeover_s: float,
    ) -> None:
        """
        Args:
            redis: its socket time-out must be a second longer than `take` waits.
            channel: the channel's name.
            consumer: a name that no other process has.
            pause_after_s: gives the pause after so many tries.
            takeover_s: after this time an alert of another process is taken over; longer than any try takes.
        """
        self._redis = redis
        self._group = GROUP_PREFIX + channel
        self._consumer = consumer
        self._pause_after_s = pause_after_s
        self._takeover_s = takeover_s
        self._drop_list = redis.register_script(DROP_LIST)

    def open(self) -> None:
        """Creates the consumer group if it is missing and removes dead consumers. May be called again."""
        self._drop_list(keys=[STREAM])
        start_ms = round((self._now_s() - BACKLOG_S) * 1000)
        try:
            self._redis.xgroup_create(STREAM, self._group, id=f"{start_ms}-0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        for each in self._redis.xinfo_consumers(STREAM, self._group):
            if each["pending"] == 0 and each["idle"] > _FORGOTTEN_S * 1000:
                self._redis.xgroup_delconsumer(STREAM, self._group, each["name"])

    def close(self) -> None:
        """Removes this process' consumer, unless it has alerts that others must take over."""
        if not self._redis.xpending_range(STREAM, self._group, "-", "+", 1, self._consumer):
            self._redis.xgroup_delconsumer(STREAM, self._group, self._consumer)

    def take(self, wait_s: float) -> Parcel | None:
        """The next alert that is due: one whose pause is over, one of a dead process, or a new one.

        Args:
            wait_s: how long to wait for a new alert.
        """
        return self._due() or self._new(wait_s)

    def settle(self, parcel: Parcel) -> bool:
        """Marks the alert as done; whether it was still open."""
        return bool(self._redis.xack(STREAM, self._group, parcel.entry))

    def _due(self) -> Parcel | None:
        pending = self._redis.xpending_range(STREAM, self._group, "-", "+", _MOST_PENDING)
        for each in cast("list[dict[str, Any]]", pending):
            tries = int(each["times_delivered"])
            rest_s = self._pause_after_s(tries)
            if each["consumer"] != self._consumer.encode():
                rest_s = max(rest_s, self._takeover_s)
            if each["time_since_delivered"] < rest_s * 1000:
                continue
            parcel = self._claim(each["message_id"], tries, rest_s)
            if parcel is not None:
                return parcel
        return None

    def _claim(self, entry: bytes, tries: int, rest_s: float) -> Parcel | None:
        """Takes the alert for this process; `None` if another process took it first."""
        found = cast(Entries, self._redis.xrange(STREAM, min=entry, max=entry))
        # XCLAIM on Redis 7 drops entries that have left the stream. They are not claimed, so their loss is reported.
        if found and not self._redis.xclaim(
            STREAM,
            self._group,
            self._consumer,
            min_idle_time=round(rest_s * 1000),
            message_ids=[entry],
            retrycount=tries + 1,
            justid=True,
        ):
            return None
        return self._parcel(entry, found, tries + 1)

    def _new(self, wait_s: float) -> Parcel | None:
        answer = self._redis.xreadgroup(
            self._group, self._consumer, {STREAM: ">"}, count=1, block=max(1, round(wait_s * 1000))
        )
        for _stream, entries in cast("list[tuple[bytes, Entries]]", answer or []):
            for entry, _values in entries:
                return self._parcel(entry, entries, 1)
        return None

    def _parcel(self, entry: bytes, found: Entries, tries: int) -> Parcel:
        alerts = alerts_of(found)
        age_s = self._now_s() - int(entry.partition(b"-")[0]) / 1000
        return Parcel(entry.decode(), alerts[0][1] if alerts else None, tries, max(0.0, age_s))

    def _now_s(self) -> float:
        """Unix time in seconds by Redis' clock, which also numbers the entries."""
        seconds, micros = self._redis.time()
        return seconds + micros / 1_000_000


def drop_other_groups(redis: Redis, channels: Collection[str]) -> None:
    """Drops the unsent alerts of channels that are no longer configured.

    Otherwise a channel that comes back after months would send everything in the history.

    Raises:
        RedisError: Redis does not answer.
    """
    with contextlib.suppress(ResponseError):  # there is no stream yet
        for group in redis.xinfo_groups(STREAM):
            name = group["name"].decode()
            if name.startswith(GROUP_PREFIX) and name.removeprefix(GROUP_PREFIX) not in channels:
                redis.xgroup_destroy(STREAM, name)
