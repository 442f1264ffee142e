"""Puts back batches that the queue has lost: because it was emptied, restored from an older state, or a job was
deleted.

The database knows which batches are not done. Those that are nowhere on the queue are queued again. One process of the
fleet looks at a time; even if two did, each batch would come back only once. A look checks a part of the batches, and
the next one continues there, so that its time and memory are limited.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby, islice

import redis

from pagemill.broker.leadership import Leadership
from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.intake.batch_job import job_id, open_queue
from pagemill.intake.enqueue import put
from pagemill.intake.queued_batches import QueuedBatches
from pagemill.results.asked_batches import AskedBatches, Outstanding
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("queue")

LOOK_S = 10.0
"""Seconds between two looks."""
_LEADER_KEY = "pagemill:lost-batches"
_LEAD_S = 25.0
_SURE_S = 15.0
"""How many seconds a batch must be missing, because a batch that moves or is being queued is briefly in no place."""
_WALK_S = 1.0
"""Seconds of searching in each look: enough for some hundred thousand batches a minute."""
_PAGE = 500
_MOST = 2000
"""The most missing batches at a time. At that number the search pauses until they are back."""
_AT_ONCE = 20


class LostBatches:
    """Finds lost batches, for one process."""

    def __init__(
        self,
        asked: AskedBatches,
        client: redis.Redis,
        platforms: Callable[[], Mapping[str, Platform]],
        settings: QueueSettings,
        name: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            asked: the batches that are not done.
            client: of the queue's Redis.
            platforms: gives the configured platforms by name. Batches of other platforms are put back, too, with the
                longest time-out, for workers that know these platforms.
            settings: retries, time-outs, times to live of a job.
            name: unique in the fleet.
            now_s: monotonic seconds.
        """
        self._asked = asked
        self._client = client
        self._platforms = platforms
        self._settings = settings
        self._lead = Leadership(client, _LEADER_KEY, name, _LEAD_S)
        self._now_s = now_s
        self._missed: dict[Outstanding, float] = {}
        """Missing batches, and since when each look has missed them."""
        self._walked: Outstanding | None = None
        """The last batch that the search has reached; `None` at its beginning."""
        self.leads = False
        """Whether this process was the one that looks, at its last look."""

    def look(self) -> int:
        """Puts back the batches that have been missing for long enough; returns their number.

        Raises:
            RedisError, RedisUnavailable, DatabaseUnavailable: the next look continues.
        """
        self.leads = bool(self._lead.hold())
        if not self.leads:
            self._missed.clear()
            self._walked = None
            return 0
        now_s = self._now_s()
        still = QueuedBatches(self._client).lacking(list(self._missed))
        self._missed = {each: self._missed[each] for each in still}
        back = self._put_back([each for each, since_s in self._missed.items() if now_s - since_s >= _SURE_S])
        self._walk(now_s)
        return back

    def close(self) -> None:
        """Lets another process take over at once."""
        with suppress(redis.RedisError):  # the lead expires by itself
            self._lead.release()

    def _walk(self, now_s: float) -> None:
        places = QueuedBatches(self._client)
        stream = self._asked.outstanding(after=self._walked)
        while len(self._missed) < _MOST:
            page = list(islice(stream, _PAGE))
            for each in places.lacking(page):
                self._missed.setdefault(each, now_s)
            self._walked = page[-1] if len(page) == _PAGE else None
            if self._walked is None or self._now_s() - now_s >= _WALK_S:
                return

    def _put_back(self, lost: list[Outstanding]) -> int:
        back: dict[str, int] = {}
        try:
            for group in _groups(lost):
                run, platform = group[0].run, group[0].platform
                queue = open_queue(self._client, platform, group[0].priority)
                found = [self._asked.batch(run, each.batch) for each in group]
                batches = [batch for batch in found if batch is not None]  # the others were done in the meantime
                if batches:
                    # A job that is in no list and no registry is never taken, so its remains can be deleted.
                    self._client.delete(*(f"rq:job:{job_id(run, batch.id)}" for batch in batches))
                    put(queue, batches, self._platforms().get(platform), self._settings)
                for each in group:
                    self._missed.pop(each, None)
                back[run] = back.get(run, 0) + len(batches)
        finally:
            for run, count in back.items():
                log.warning(events.BATCHES_PUT_BACK, run=run, batches=count)
        return sum(back.values())


def _groups(lost: list[Outstanding]) -> Iterator[list[Outstanding]]:
    """Groups of a few batches for one queue."""
    for _, for_one in groupby(lost, lambda each: (each.run, each.platform, each.priority)):
        while group := list(islice(for_one, _AT_ONCE)):
            yield group
