"""Takes the next batch for a worker's hands: one look asks for all queues whose hand is free.

Knows whose turn it is, and which batch must have the worker for itself. Works nothing off.
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
    """One worker's. Called from its main thread."""

    def __init__(
        self, queues: Sequence[Queue], connection: Redis, brisk: Redis, free: Callable[[], Collection[str]]
    ) -> None:
        """
        Args:
            queues: those of each platform, in the order in which they are taken from.
            connection: patient, to put a batch back.
            brisk: fails within seconds.
            free: the platforms whose hand has nothing to do.
        """
        self._queues = {
            platform: [queue for queue in queues if platform_of(queue) == platform]
            for platform in dict.fromkeys(map(platform_of, queues))
        }
        self._connection = connection
        self._script = brisk.register_script(_TAKE)
        self._free = free
        self._alone: Queue | None = None
        """The queue whose next batch is worked off with no other beside it."""
        self.held_back = 0
        """How many queues have something that must not be taken now, as of the last look that found nothing."""

    @property
    def queues(self) -> Mapping[str, Sequence[Queue]]:
        """By platform; the platform that is asked first stands first."""
        return self._queues

    def open_queues(self) -> Mapping[str, Sequence[Queue]]:
        """Those of each platform for which something may be taken now."""
        free = self._free()
        if self._alone is None:
            return {platform: its for platform, its in self._queues.items() if platform in free}
        return {platform_of(self._alone): [self._alone]} if len(free) == len(self._queues) else {}

    def take(self) -> tuple[Job, Queue] | None:
        """The next batch for a hand that is free, if there is one.

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
                if self._alone is not None:  # somebody else has it by now: look at all queues again
                    self._alone = None
                    continue
                self.held_back = found
                return None
            key, raw_id = found[0].decode(), found[1]
            queue = next(queue for its in queues.values() for queue in its if queue.key == key)
            job = unreadable_jobs.fetch(queue, raw_id)
            if job is None:
                continue
            # Every platform gets its turn, however long the others' queues are.
            order = list(self._queues)
            position = order.index(platform_of(queue)) + 1
            self._queues = {platform: self._queues[platform] for platform in order[position:] + order[:position]}
            self._alone = queue if job.retries_left == 0 else None
            if self._alone is not None and len(self._free()) < len(self._queues):
                self._put_back(queue, job)
                return None
            return job, queue

    def _put_back(self, queue: Queue, job: Job) -> None:
        """The batch has one try left: each of its workers died, or it failed each time. With others beside it they
        would die with it; and where it is one of them that ends the workers, it would be given up for that."""
        with self._connection.pipeline() as pipeline:
            queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.lrem(queue.intermediate_queue.key, 1, job.id)
            pipeline.execute()
