"""What was seen of products lately: in Redis for the whole fleet, and for a short time in this process.

What a batch asks for is asked for again when it ends or is taken over, so the process keeps it for half a minute.
Invalidations are never kept: they hold at once, everywhere. Without Redis nothing is remembered, and every product is
visited.

Keys: `pagemill:visited:PLATFORM:ID` holds what was seen, until that is no longer good. The hash
`pagemill:invalidated:PLATFORM` has a moment for each tag: what was seen before it no longer counts. The hash
`pagemill:revisits:PLATFORM` counts `hits` and `misses`.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import redis
from cachetools import TTLCache

from pagemill.config.platform import Platform
from pagemill.errors import RedisUnavailable
from pagemill.model import Facts, Product, Verdict
from pagemill.revisit.policy import EVERYTHING, Seen, next_ttl_s, tags_of
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("revisit")

_AS_PAGES_SAY = "surrogatepass"
"""Pages contain halves of surrogate pairs."""
_KEPT_S = 30.0
_UNKNOWN = Seen("", {}, datetime.fromtimestamp(0, UTC), 0)
_INVALIDATED_KEEP_S = 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Visited:
    """The verdict and facts of one product's visit."""

    product: Product
    verdict: Verdict
    facts: Facts


class VisitMemory:
    """The fleet's memory. Its calls block until Redis answers or the client gives up."""

    def __init__(
        self,
        client: redis.Redis,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[], float] = random.random,
        max_kept: int = 1000,
    ) -> None:
        """
        Args:
            client: should give up within seconds.
            now: aware of its time zone.
            random: a number in [0, 1).
            max_kept: how many products the process itself keeps.
        """
        self._client = client
        self._kept: TTLCache[str, Seen | None] = TTLCache(max_kept, ttl=_KEPT_S)
        self._lock = threading.Lock()
        self._now = now
        self._random = random

    def __len__(self) -> int:
        """How many products the process itself keeps."""
        return len(self._kept)

    def cleanup(self, cleanup_ratio: float) -> None:
        """For the guard: drops that share of what the process itself keeps, the oldest first."""
        with self._lock:
            for _ in range(round(len(self._kept) * cleanup_ratio)):
                self._kept.popitem()

    def recall(self, platform: Platform, products: Sequence[Product]) -> dict[str, Seen]:
        """What was seen of those products that need not be visited again yet, by product id."""
        now = self._now()
        found: dict[str, Seen] = {}
        try:
            invalidated = cast("dict[bytes, bytes]", self._client.hgetall(_invalidated_key(platform.platform)))
            known = self._read(platform.platform, [product.id for product in products])
            for product in products:
                seen = known[product.id]
                if seen is None or seen.url != product.url or not seen.is_good_at(now):
                    continue
                if not self._is_invalidated(platform, seen, product, invalidated):
                    found[product.id] = seen
            counts = {"hits": len(found), "misses": len(products) - len(found)}
            with self._client.pipeline(transaction=False) as pipeline:
                for name, count in counts.items():
                    pipeline.hincrby(_counts_key(platform.platform), name, count)
                pipeline.execute()
        except redis.RedisError as error:
            log.warning(events.REVISIT_UNKNOWN, platform=platform.platform, error=str(error))
            return {}
        return found

    def note(self, platform: Platform, visits: Sequence[Visited]) -> None:
        """Remembers products that were `ok`, and forgets the others."""
        try:
            befores = self._read(platform.platform, [visit.product.id for visit in visits])
            with self._client.pipeline(transaction=False) as pipeline:
                for visit in visits:
                    key = _key(platform.platform, visit.product.id)
                    self._keep({key: _UNKNOWN})
                    if visit.verdict is Verdict.OK:
                        ttl_s = next_ttl_s(platform.revisit, befores[visit.product.id], visit.facts, self._random)
                        # It is kept longer than it is good, because its time decides how long the next one is good.
                        keep_s = round(ttl_s + platform.revisit.max_ttl_s)
                        pipeline.set(key, self._written(visit, ttl_s), ex=keep_s)
                    elif visit.verdict is not Verdict.FAILED:
                        pipeline.delete(key)
                pipeline.execute()
        except redis.RedisError as error:
            log.warning(events.REVISIT_UNKNOWN, platform=platform.platform, error=str(error))

    def invalidate(self, platform: str, tag: str = EVERYTHING) -> None:
        """Makes all products with that tag be visited again.

        Raises:
            RedisUnavailable: Redis is away.
        """
        key = _invalidated_key(platform)
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.hset(key, tag, repr(self._now().timestamp()))
                pipeline.expire(key, _INVALIDATED_KEEP_S)
                pipeline.execute()
        except redis.RedisError as error:
            raise RedisUnavailable.gone(error) from error

    def counts(self, platform: str) -> tuple[int, int]:
        """How many products were spared a visit and how many were not, since counting began.

        Raises:
            redis.RedisError: Redis is away.
        """
        hits, misses = self._client.hmget(_counts_key(platform), "hits", "misses")
        return int(hits or 0), int(misses or 0)

    def _read(self, platform: str, ids: Sequence[str]) -> dict[str, Seen | None]:
        with self._lock:
            found = {each: self._kept.get(_key(platform, each), _UNKNOWN) for each in ids}
        missing = [each for each, seen in found.items() if seen is _UNKNOWN]
        if missing:
            texts = cast("list[bytes | None]", self._client.mget([_key(platform, each) for each in missing]))
            read = {each: _seen(text) for each, text in zip(missing, texts, strict=True)}
            self._keep({_key(platform, each): seen for each, seen in read.items()})
            found |= read
        return found

    def _keep(self, entries: Mapping[str, Seen | None]) -> None:
        with self._lock:
            for key, seen in entries.items():
                if seen is _UNKNOWN:
                    self._kept.pop(key, None)
                else:
                    self._kept[key] = seen

    def _written(self, visit: Visited, ttl_s: float) -> bytes:
        values = {"url": visit.product.url, "facts": dict(visit.facts), "at": self._now().timestamp(), "ttl_s": ttl_s}
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", _AS_PAGES_SAY)

    def _is_invalidated(
        self, platform: Platform, seen: Seen, product: Product, invalidated: Mapping[bytes, bytes]
    ) -> bool:
        at = seen.at.timestamp()
        tags = {*tags_of(platform.revisit, seen.facts), *tags_of(platform.revisit, product.expected)}
        return any(float(invalidated.get(tag.encode("utf-8", _AS_PAGES_SAY), 0)) >= at for tag in tags)


def _seen(text: bytes | None) -> Seen | None:
    if text is None:
        return None
    try:
        values: dict[str, Any] = json.loads(text.decode("utf-8", _AS_PAGES_SAY))
        return Seen(values["url"], values["facts"], datetime.fromtimestamp(values["at"], UTC), values["ttl_s"])
    except (ValueError, KeyError, TypeError):
        return None  # another version of pagemill wrote it


def _key(platform: str, product_id: str) -> str:
    return f"pagemill:visited:{platform}:{product_id}"


def _invalidated_key(platform: str) -> str:
    return f"pagemill:invalidated:{platform}"


def _counts_key(platform: str) -> str:
    return f"pagemill:revisits:{platform}"
