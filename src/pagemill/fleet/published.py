"""How processes publish their state in Redis: one expiring key for each process, and a set of all names.

A key outlives its process for some minutes, so that its death is visible. A key's age follows from its remaining time
to live, so only Redis' clock counts. The set avoids a scan of all keys, of which there is one for each batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from redis import Redis, ResponseError

KEPT_S = 600
"""How many seconds a dead process' key is kept."""
ALIVE_S = 30.0
"""A process that has been silent for longer counts as dead."""
_SEARCH_S = 60
"""The interval of a scan for keys that are not in the set, because older versions of pagemill write no set."""


class Snapshot:
    """The fields that all kinds of process publish; each kind is a dataclass with them."""

    __slots__ = ()

    name: str
    """Unique in the fleet."""
    silent_s: float
    """The age of this snapshot in seconds; set when it is read."""

    @property
    def is_alive(self) -> bool:
        """Whether the process has published recently."""
        return self.silent_s <= ALIVE_S


S = TypeVar("S", bound=Snapshot)


class Published(Generic[S]):
    """All processes of one kind."""

    def __init__(self, kind: type[S], word: str) -> None:
        """
        Args:
            kind: the dataclass of the kind.
            word: the word for this kind in Redis keys.
        """
        self.prefix = f"pagemill:{word}:"
        self._names = f"pagemill:names:{word}"
        self._searched = f"pagemill:names:{word}:searched"
        self._adapter: TypeAdapter[S] = TypeAdapter(kind)

    def publish(self, redis: Redis, snapshot: S) -> None:
        """Stores the snapshot in place of the process' last one."""
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.set(self.prefix + snapshot.name, self._adapter.dump_json(snapshot), ex=KEPT_S)
            pipeline.sadd(self._names, snapshot.name)
            pipeline.execute()

    def withdraw(self, redis: Redis, name: str) -> None:
        """Removes the entry of a process that ends."""
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.delete(self.prefix + name)
            pipeline.srem(self._names, name)
            pipeline.execute()

    def read(self, redis: Redis) -> list[S]:
        """Every snapshot of the last ten minutes, of dead and living processes, by name."""
        self._search(redis)
        names = sorted(cast("set[bytes]", redis.smembers(self._names)))
        with redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.get(self.prefix.encode() + name)
                pipeline.pttl(self.prefix.encode() + name)
            answers = pipeline.execute()
        found, gone = [], []
        for name, body, ttl_ms in zip(names, answers[::2], answers[1::2], strict=True):
            if body is None or ttl_ms <= 0:
                gone.append(name)
                continue
            # During a rolling update, newer processes publish fields that this version does not know; they are ignored.
            silent_s = round(max(0.0, KEPT_S - ttl_ms / 1000), 1)
            found.append(cast(S, replace(cast(Any, self._adapter.validate_json(body)), silent_s=silent_s)))
        if gone:
            redis.srem(self._names, *gone)
        return found

    def _search(self, redis: Redis) -> None:
        try:
            if not redis.set(self._searched, "", nx=True, ex=_SEARCH_S):
                return
            if keys := list(redis.scan_iter(match=self.prefix + "*", count=1000)):
                redis.sadd(self._names, *(key.removeprefix(self.prefix.encode()) for key in keys))
        except ResponseError:
            return  # Redis is full; it can still be read
