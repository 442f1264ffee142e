"""Takes the next batch for a worker's hands. Each look asks the queues of all free hands at once.

Knows which platform's turn it is, and which batch must run alone in the worker. Does not run batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from redis import Redis
from rq import Queue
from rq.job import Job

from pagemill.intake.batch_job import platform_of
from pagemill.pacing.pace_script import KEY_PREFIX as PACE_PREFIX
from pagemill.script_files import read_script
from pagemill.worker import unreadable_jobs

_TAKE = read_script(__file__, "take.lua")


class BatchTaker:
    """Takes batches for one worker. Called from the worker's main thread."""

    def __init__(
        self, queues: Sequence[Queue], connection: Redis, brisk: Redis, free: Callable[[], Collection[str]]
    ) -> None:
        """
        Args:
            queues: the queues of all platforms, in the order in which batches are taken.
            connection: retries for long; used to put a batch back.
            brisk: fails within seconds.
            free: gives the platforms whose hand is free.
        """
        self._queues = {
            platform: [queue for queue in queues if platform_of(queue) == platform]
            for platform in dict.fromkeys(map(platform_of, queues))
        }
        self._connection = connection
        self._script = brisk.register_script(_TAKE)
        self._free = free
        self._alone: Queue | None = None
        """A queue whose next batch must run without any other batch beside it."""
        self.held_back = 0
        """The number of queues with a batch that must not be taken now, as of the last look that found nothing."""

    @property
    def queues(self) -> Mapping[str, Sequence[Queue]]:
        """By platform; batches are taken from the first platform first."""
        return self._queues

    def open_queues(self) -> Mapping[str, Sequence[Queue]]:
        """By platform, the queues from which a batch may be taken now."""
        free = self._free()
        if self._alone is None:
            return {platform: its for platform, its in self._queues.items() if platform in free}
        return {platform_of(self._alone): [self._alone]} if len(free) == len(self._queues) else {}

    def take(self) -> tuple[Job, Queue] | None:
        """The next batch for a free hand, and its queue; `None` without one.

        Raises:
            RedisError: Redis does not answer, or refuses something.
        """
        while True:
            queues = self.open_queues()
            if not queues:
                self.held_back = 0
                return None
            keys = [key for name, its in queues.items() for key in (PACE_PREFIX + name, *(each.key for each in its))]
            found = self._script(keys=keys, args=[len(its) for its in queues.values()])
            if isinstance(found, int):
                if self._alone is not None:  # another worker has taken it: look at all queues again
                    self._alone = None
                    continue
                self.held_back = found
                return None
            key, raw_id = found[0].decode(), found[1]
            queue = next(queue for its in queues.values() for queue in its if queue.key == key)
            job = unreadable_jobs.fetch(queue, raw_id)
            if job is None:
                continue
            # The next look begins with the next platform, so that a long queue does not starve others.
            order = list(self._queues)
            position = order.index(platform_of(queue)) + 1
            self._queues = {platform: self._queues[platform] for platform in order[position:] + order[:position]}
            self._alone = queue if job.retries_left == 0 else None
            if self._alone is not None and len(self._free()) < len(self._queues):
                self._put_back(queue, job)
                return None
            return job, queue

    def _put_back(self, queue: Queue, job: Job) -> None:
        """Returns a batch with one try left, to run it alone: each earlier try failed, or its worker died. If it kills
        this worker, no other batch dies with it; and no other batch can kill the worker and use up its last try."""
        with self._connection.pipeline() as pipeline:
            queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.lrem(queue.intermediate_queue.key, 1, job.id)
            pipeline.execute()
