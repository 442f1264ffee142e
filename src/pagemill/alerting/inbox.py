"""One channel's alerts that are still to be told: a consumer group on the history, shared by all API processes.

Redis remembers of each alert who has it in hand, since when, and how often it was tried. So nothing is lost with a
process, and the pauses between tries hold whoever makes them. Telling is `channels'`, giving up `delivery's`.
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
"""A channel's first alerts are those of the last five minutes: what was raised while everything was starting."""
_FORGOTTEN_S = 3600
"""A consumer that has not asked for so long belongs to a process that is gone."""
_MOST_PENDING = 2 * KEPT


@dataclass(frozen=True, slots=True)
class Parcel:
    """One alert in hand."""

    entry: str
    alert: Alert | None
    """`None` if the history does not have it any more, or it cannot be read."""
    tries: int
    """This one included."""
    age_s: float


class Inbox:
    """One process' hand in one channel's alerts. For use by one thread. Any call may raise Redis' `RedisError`."""

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
            redis: must allow an answer to take a second longer than `take` waits.
            channel: whose alerts.
            consumer: unique for this process.
            pause_after_s: how long an alert rests after so many tries.
            takeover_s: when an alert that another process has in hand is taken over; longer than any try takes.
        """
        self._redis = redis
        self._group = GROUP_PREFIX + channel
        self._consumer = consumer
        self._pause_after_s = pause_after_s
        self._takeover_s = takeover_s
        self._drop_list = redis.register_script(DROP_LIST)

    def open(self) -> None:
        """Makes sure that there is such a group, and forgets consumers that are gone. May be called again."""
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
        """Takes this consumer's name off the list, unless something is left for others to take over."""
        if not self._redis.xpending_range(STREAM, self._group, "-", "+", 1, self._consumer):
            self._redis.xgroup_delconsumer(STREAM, self._group, self._consumer)

    def take(self, wait_s: float) -> Parcel | None:
        """The next alert that is due: one whose pause is over, or one that a dead process had, or a new one.

        Args:
            wait_s: how long to wait for a new one.
        """
        return self._due() or self._new(wait_s)

    def settle(self, parcel: Parcel) -> bool:
        """Takes it off the list; whether it still was on it."""
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
        """Takes it in hand, unless another process has just done so."""
        found = cast(Entries, self._redis.xrange(STREAM, min=entry, max=entry))
        # Redis 7 forgets at a claim what is not in the stream any more; until then nobody would hear of its loss.
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
        """Seconds since 1970 by Redis' clock, which numbers the entries."""
        seconds, micros = self._redis.time()
        return seconds + micros / 1_000_000


def drop_other_groups(redis: Redis, channels: Collection[str]) -> None:
    """Forgets what channels that are not configured any more have not been told.

    Without this, a channel that comes back after months would begin with all that is in the history.

    Raises:
        RedisError: Redis does not answer.
    """
    with contextlib.suppress(ResponseError):  # there is no stream yet
        for group in redis.xinfo_groups(STREAM):
            name = group["name"].decode()
            if name.startswith(GROUP_PREFIX) and name.removeprefix(GROUP_PREFIX) not in channels:
                redis.xgroup_destroy(STREAM, name)
