"""Batches that the queue has lost: emptied, brought back without its last minutes, or a job that somebody deleted.

The database knows what was asked for and is not done; what of that is nowhere on the queue is put there again. One
process of the fleet looks at a time; should two do so, each batch still comes back once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import redis

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.errors import RedisUnavailable
from pagemill.intake.batch_job import job_id, open_queue
from pagemill.intake.enqueue import put
from pagemill.intake.leadership import Leadership
from pagemill.intake.runs_at_work import jobs_at_work
from pagemill.results.asked import AskedBatches, Outstanding
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("queue")

LOOK_S = 10.0
"""How often to look."""
_LEADER_KEY = "pagemill:lost-batches"
_LEAD_S = 35.0
_SURE_S = 15.0
"""How long a batch must have been nowhere: between two places it is, for a moment, and while it is being put there."""
_MOST = 200
"""Batches that come back at one look, so that it ends soon; the next one goes on."""


class LostBatches:
    """Looks for them, for one process."""

    def __init__(
        self,
        asked: AskedBatches,
        client: redis.Redis,
        platforms: Mapping[str, Platform],
        settings: QueueSettings,
        name: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            asked: what is not done.
            client: of the queue's Redis.
            platforms: by name; batches of others stay where they are, and are told.
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
        self._missed: dict[tuple[str, str], float] = {}
        """Batches that the last look did not find, and since when."""
        self._told: set[str] = set()

    def look(self) -> int:
        """Puts back what has been nowhere for a while; how many batches those were.

        Raises:
            RedisError, RedisUnavailable, DatabaseUnavailable: the next look goes on.
        """
        if not self._lead.hold():
            self._missed.clear()
            return 0
        now_s = self._now_s()
        missing = list(self._missing(self._asked.outstanding()))
        since_s = {(each.run, each.batch): self._missed.get((each.run, each.batch), now_s) for each in missing}
        self._missed = since_s
        lost = [each for each in missing if now_s - since_s[each.run, each.batch] >= _SURE_S]
        return self._put_back(lost[:_MOST])

    def _missing(self, outstanding: Iterable[Outstanding]) -> Iterable[Outstanding]:
        known: dict[str, set[str]] = {}
        for each in outstanding:
            if each.platform not in known:
                known[each.platform] = _jobs_of(self._client, each.platform)
            if job_id(each.run, each.batch) not in known[each.platform]:
                yield each

    def _put_back(self, lost: list[Outstanding]) -> int:
        back: dict[str, int] = {}
        for each in lost:
            platform = self._platforms.get(each.platform)
            if platform is None:
                self._tell_stranded(each)
                continue
            batch = self._asked.batch(each.run, each.batch)
            if batch is None:
                continue  # it was done meanwhile
            queue = open_queue(self._client, each.platform, each.priority)
            # What stands there of it is of no use: a job that is in no list and no registry is taken by nobody.
            self._client.delete(f"rq:job:{job_id(each.run, each.batch)}")
            put(queue, [batch], platform, self._settings)
            self._missed.pop((each.run, each.batch), None)
            back[each.run] = back.get(each.run, 0) + 1
        for run, count in back.items():
            log.warning(events.BATCHES_PUT_BACK, run=run, batches=count)
        return sum(back.values())

    def _tell_stranded(self, each: Outstanding) -> None:
        if each.run not in self._told:
            self._told.add(each.run)
            remedy = f"add config/platforms/{each.platform}.yaml, or cancel the run"
            log.error(events.RUN_STRANDED, run=each.run, platform=each.platform, remedy=remedy)


def _jobs_of(client: redis.Redis, platform: str) -> set[str]:
    try:
        return jobs_at_work(client, platform)
    except redis.RedisError as error:
        raise RedisUnavailable.gone(error) from error
