"""How processes of the fleet publish themselves in Redis: one key each, which expires, and a set with all their names.

A key outlives its process for some minutes, so that it can be seen to have died. How old a key is follows from its
expiry, so only Redis' clock counts. Nobody walks over all keys of Redis to find these: there is one for each batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from redis import Redis, ResponseError

KEPT_S = 600
"""How long a dead process' entry is kept."""
ALIVE_S = 30.0
"""One that has been silent for longer counts as dead."""
_SEARCH_S = 60
"""How often somebody of the fleet looks for those whose name is not in the set: a pagemill of before it wrote none."""


class Snapshot:
    """What every kind of process says of itself; the kinds are dataclasses with these fields."""

    __slots__ = ()

    name: str
    """Unique in the fleet."""
    silent_s: float
    """How old this is; known when it is read."""

    @property
    def is_alive(self) -> bool:
        """Whether it has published lately."""
        return self.silent_s <= ALIVE_S


S = TypeVar("S", bound=Snapshot)


class Published(Generic[S]):
    """The processes of one kind."""

    def __init__(self, kind: type[S], word: str) -> None:
        """
        Args:
            kind: a dataclass.
            word: what its keys are called.
        """
        self.prefix = f"pagemill:{word}:"
        self._names = f"pagemill:names:{word}"
        self._searched = f"pagemill:names:{word}:searched"
        self._adapter: TypeAdapter[S] = TypeAdapter(kind)

    def publish(self, redis: Redis, snapshot: S) -> None:
        """Stores it, in place of what the process said before."""
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.set(self.prefix + snapshot.name, self._adapter.dump_json(snapshot), ex=KEPT_S)
            pipeline.sadd(self._names, snapshot.name)
            pipeline.execute()

    def withdraw(self, redis: Redis, name: str) -> None:
        """Removes a process that ends."""
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.delete(self.prefix + name)
            pipeline.srem(self._names, name)
            pipeline.execute()

    def read(self, redis: Redis) -> list[S]:
        """Every one that published within the last ten minutes, dead or alive, by name."""
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
            # While a fleet is renewed step by step, newer ones publish fields that are not known here: ignored.
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
            return  # a Redis that is full: it can be looked at all the same
