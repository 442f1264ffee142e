"""What RQ sees of a batch at work: who has it, that it is alive, and how it ended.

A worker serves its platforms at once, each with a hand: a worker of RQ's own with that platform's queues, which RQ
lists and commands as any other, and which works one batch at a time in a thread of its own. RQ's SimpleWorker does that
in the main thread, beats only between jobs, and ends jobs by SIGALRM. What is overridden here is exactly that; the
comments name RQ's behaviour.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from redis import Redis, ResponseError
from rq import Queue, SimpleWorker
from rq import worker_registration as registration
from rq.exceptions import AbandonedJobError
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from pagemill.config.settings import QueueSettings
from pagemill.errors import BatchUnreadable, PagemillError, ServiceUnavailable, WorkerWornOut
from pagemill.intake.batch_job import BatchJob
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker.installed_engine import Engine, declare_unfit, unfit

log = get_logger("worker")

MAINTENANCE_S = 10


class _NoPenalty(BaseDeathPenalty):
    """`job.run_batch` ends a batch that takes too long: a signal reaches the main thread only."""

    def setup_death_penalty(self) -> None: ...
    def cancel_death_penalty(self) -> None: ...


class BatchEnder(SimpleWorker):
    """A worker of RQ's that beats for what it has at work, and leaves no product of an ended batch without a result."""

    log_result_lifespan = False
    death_penalty_class = _NoPenalty
    job_class = BatchJob

    def __init__(
        self,
        queues: list[Queue],
        name: str,
        connection: Redis,
        engine: Engine,
        settings: QueueSettings,
        beating: threading.Lock,
        shutdown: Callable[[], None],
    ) -> None:
        """
        Args:
            queues: whose batches it works off or looks after.
            name: unique in the fleet.
            connection: patient: what ends a batch must reach Redis, be it after a minute.
            engine: gives batches up.
            settings: times to live.
            beating: held while a beat is under way, which must not revive what ends meanwhile.
            shutdown: makes the whole process drain and end.
        """
        super().__init__(
            queues,
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            exception_handlers=[self._on_exception],
            maintenance_interval=MAINTENANCE_S,
            worker_ttl=settings.heartbeat_ttl_s,
            log_job_description=False,
        )
        self._engine = engine
        self._ttl_s = settings.heartbeat_ttl_s
        self._beating = beating
        self._shut_down = shutdown
        self._at_work: tuple[Job, Execution] | None = None

    def _set_ip_address(self, connection: Redis) -> None:
        """RQ would look for its connection in a list of all: with a thousand workers, thousands of lines for each."""
        self.ip_address = "unknown"
        with suppress(ResponseError):  # its user may not name it
            connection.client_setname(self.name)
            self.ip_address = str(connection.client_info()["addr"])

    def _set_connection(self, connection: Redis) -> Redis:
        """RQ would raise the socket's time limit above the worker's time to live; nothing here blocks that long."""
        return connection

    # The beat

    @property
    def is_born(self) -> bool:
        """Whether RQ knows it."""
        return self.birth_date is not None

    def add_beat(self, pipeline: Any) -> int:
        """Adds the commands that say that it and its batch are alive; where in the answers its first one stands: 1
        there says that its key had run out."""
        position = len(pipeline.command_stack)
        self.heartbeat(self._ttl_s, pipeline=pipeline)
        if self._at_work is not None:
            job, execution = self._at_work
            execution.heartbeat(job.started_job_registry, self._ttl_s, pipeline=pipeline)
            job.heartbeat(datetime.now(UTC), self._ttl_s, pipeline=pipeline, xx=True)
        return position

    def introduce_again(self, pipeline: Any) -> None:
        """Its key is gone, because Redis was away for long or has lost what it had: without the rest of it RQ neither
        lists nor commands it, and a batch that nobody knows to be at work would be put on the queue again."""
        at_work = self._at_work
        if at_work is not None and not self.connection.exists(at_work[0].key):
            job, execution = at_work
            job.save(pipeline=pipeline)
            execution.save(self._ttl_s, pipeline)
            ExecutionRegistry(job.id, self.connection).add(execution, self._ttl_s, pipeline)
            job.started_job_registry.add_execution(execution, pipeline, self._ttl_s)
        registration.register(self, pipeline)
        pipeline.hset(self.key, mapping={**self.serialize(), "state": self.get_state()})
        if self._at_work is not None:
            self.set_current_job_id(self._at_work[0].id, pipeline=pipeline)
        pipeline.expire(self.key, self._ttl_s)

    def get_heartbeat_ttl(self, job: Job) -> int:
        """RQ's SimpleWorker would let a dead worker's job wait for its whole time-out."""
        return self._ttl_s

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """RQ's, and from here on it beats for the batch. RQ leaves safety copies to workers of one queue only."""
        super().prepare_job_execution(job, remove_from_intermediate_queue=True)
        if self.execution is not None:
            with self._beating:
                self._at_work = (job, self.execution)

    def _no_longer_at_work(self) -> None:
        with self._beating:
            self._at_work = None

    # Ending batches

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: Any) -> None:
        """A batch with remaining products goes back to the front of its queue, and counts neither way."""
        self._no_longer_at_work()
        outcome = job._result
        if isinstance(outcome, dict) and outcome.get("remaining"):
            with self.connection.pipeline() as pipeline:
                self.cleanup_execution(job, pipeline=pipeline)
                job.set_status(JobStatus.QUEUED, pipeline=pipeline)
                queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
                pipeline.execute()
            log.info(events.BATCH_RETURNED, job=job.id, remaining=outcome["remaining"])
            if (error := unfit()) is not None:
                self.end_unfit(error)
            return
        super().handle_job_success(job, queue, started_job_registry)

    def handle_job_failure(
        self, job: Job, queue: Queue, started_job_registry: Any = None, exc_string: str = ""
    ) -> None:
        """A batch that will not be tried again leaves no product without a result.

        Where results cannot be written it stays at work, until its time is over and a fit worker gives it up.
        """
        self._no_longer_at_work()
        try:
            if self._stopped_job_id == job.id:
                self._give_up(job, "stopped by a user")
            elif not job.should_retry:
                self._give_up(job, _last_line(exc_string) or "the batch failed")
        except ServiceUnavailable as error:
            if self.execution is None:  # not this worker's own: RQ asks for a dead one's, and would go on to forget it
                raise
            self.end_unfit(error)
            return
        super().handle_job_failure(job, queue, started_job_registry, exc_string)
        if (cause := unfit()) is not None:
            self.end_unfit(cause)

    def _on_exception(self, job: Job, kind: type[BaseException], *_rest: Any) -> None:
        """RQ calls this for failures, and for the batches of dead workers that it finds."""
        if kind is AbandonedJobError and not job.retries_left:
            self._give_up(job, "its workers died again and again")

    def _give_up(self, job: Job, reason: str) -> None:
        assert isinstance(job, BatchJob)
        try:
            batch = job.batch()
        except BatchUnreadable as error:
            # An error out of here would end one worker after another.
            log.error(events.BATCH_GIVEN_UP, job=job.id, reason=reason, products=0, unreadable=str(error))
            return
        count = self._engine.give_up(batch, f"batch given up: {reason}"[:500])
        log.error(events.BATCH_GIVEN_UP, job=job.id, reason=reason, products=count)

    def end_unfit(self, error: PagemillError) -> None:
        """Has the process drain, and end with that error."""
        declare_unfit(error)
        if not isinstance(error, WorkerWornOut):  # that one has been told by `leave`
            log.error(events.WORKER_UNFIT, error=str(error))
        self._shut_down()


class Hand(BatchEnder):
    """Works off the batches of one platform, one at a time.

    RQ knows it from its first batch on, until it has had none for a while: those that wait cost Redis nothing.
    """

    def __init__(self, queues: list[Queue], platform: str, *parts: Any) -> None:
        """`queues` are the platform's, `parts` those of `BatchEnder` after them."""
        super().__init__(queues, *parts)
        self.platform = platform
        self.failure: BaseException | None = None
        """What ended its last batch and was not the batch's own, such as a Redis that has gone."""
        self.free_since_s = 0.0
        self._thread: threading.Thread | None = None

    def _set_ip_address(self, _connection: Redis) -> None:
        """One look for all of a process' workers is enough."""
        self.ip_address = "unknown"

    @property
    def is_free(self) -> bool:
        """Whether it can take a batch. From any thread."""
        return self._thread is None

    def take(self, job: Job, queue: Queue, wake: Callable[[], None]) -> None:
        """Begins to work a batch off, and returns; the hand must be free.

        Args:
            job: the batch's.
            queue: which of its queues had it.
            wake: called on the hand's thread when it is free again.
        """

        def work() -> None:
            try:
                if not self.is_born:
                    self.register_birth()  # type: ignore[no-untyped-call]
                self.execute_job(job, queue)
            except BaseException as error:  # noqa: BLE001 - the main thread has to hear of it
                self.failure = error
            self._no_longer_at_work()
            self.free_since_s = time.monotonic()
            self._thread = None
            wake()

        self._thread = threading.Thread(target=work, name=f"hand {self.platform}", daemon=True)
        self._thread.start()

    def retire(self) -> None:
        """RQ no longer knows it; the hand must be free.

        Raises:
            RedisError: Redis does not answer; it forgets the hand by itself when its time to live has run out.
        """
        if self.is_born:
            self.register_death()  # type: ignore[no-untyped-call]
            self.birth_date = None

    def kill_horse(self, sig: Any = None) -> None:
        """RQ's stop-job command; there is no horse, the batch itself is cancelled."""
        self._engine.interrupt(self.platform)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""
