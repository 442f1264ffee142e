"""RQ's view of a batch at work: which worker has it, that it is alive, and how it ended.

A worker process serves several platforms at once. For each it has a hand: an RQ worker for that platform's queues. RQ
lists and commands it like any other, and it runs one batch at a time on its own thread. RQ's SimpleWorker runs jobs in
the main thread, sends heartbeats only between jobs, and ends jobs by SIGALRM. These points are overridden here; the
docstrings say what RQ would do.
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
    """Switches off RQ's SIGALRM, which reaches only the main thread; `job.run_batch` has its own time-out."""

    def setup_death_penalty(self) -> None: ...
    def cancel_death_penalty(self) -> None: ...


class BatchEnder(SimpleWorker):
    """An RQ worker that sends heartbeats for its batch, and gives every product of a failed batch a result."""

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
            queues: the queues whose batches it works off or looks after.
            name: unique in the fleet.
            connection: retries for long, because the end of a batch must reach Redis even after a minute.
            engine: records results for batches that are given up.
            settings: times to live.
            beating: held during a heartbeat, which must not revive a batch that ends meanwhile.
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
        """RQ would search a list of all connections, which is thousands of lines long with a thousand workers."""
        self.ip_address = "unknown"
        with suppress(ResponseError):  # this Redis user may not name its connection
            connection.client_setname(self.name)
            self.ip_address = str(connection.client_info()["addr"])

    def _set_connection(self, connection: Redis) -> Redis:
        """RQ would raise the socket's time-out above the worker's time to live; no command here blocks that long."""
        return connection

    # Heartbeat

    @property
    def is_born(self) -> bool:
        """Whether the worker is registered with RQ."""
        return self.birth_date is not None

    def add_beat(self, pipeline: Any) -> int:
        """Adds the heartbeat commands for this worker and its batch. Returns the index of the first command's answer:
        an answer of 1 means that the worker's key had expired."""
        position = len(pipeline.command_stack)
        self.heartbeat(self._ttl_s, pipeline=pipeline)
        if self._at_work is not None:
            job, execution = self._at_work
            execution.heartbeat(job.started_job_registry, self._ttl_s, pipeline=pipeline)
            job.heartbeat(datetime.now(UTC), self._ttl_s, pipeline=pipeline, xx=True)
        return position

    def introduce_again(self, pipeline: Any) -> None:
        """Registers again after the worker's key was lost, because Redis was away for long or lost its data. Otherwise
        RQ would neither list nor command the worker, and the batch would be put on the queue again."""
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
        """RQ's SimpleWorker would let a dead worker's job wait until its time-out."""
        return self._ttl_s

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """RQ's hook. Starts the batch's heartbeats. Removes its safety copy, as RQ does only for a single queue."""
        super().prepare_job_execution(job, remove_from_intermediate_queue=True)
        if self.execution is not None:
            with self._beating:
                self._at_work = (job, self.execution)

    def _no_longer_at_work(self) -> None:
        with self._beating:
            self._at_work = None

    # Ending batches

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: Any) -> None:
        """A batch with remaining products goes back to the front of its queue; that is neither success nor failure."""
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
        """If the batch will not be tried again, each product without a result gets one.

        If that result cannot be written, the batch stays registered as at work. When its time to live is over, another
        worker gives it up.
        """
        self._no_longer_at_work()
        try:
            if self._stopped_job_id == job.id:
                self._give_up(job, "stopped by a user")
            elif not job.should_retry:
                self._give_up(job, _last_line(exc_string) or "the batch failed")
        except ServiceUnavailable as error:
            if self.execution is None:  # a dead worker's batch: RQ would forget it after this returns
                raise
            self.end_unfit(error)
            return
        super().handle_job_failure(job, queue, started_job_registry, exc_string)
        if (cause := unfit()) is not None:
            self.end_unfit(cause)

    def _on_exception(self, job: Job, kind: type[BaseException], *_rest: Any) -> None:
        """RQ's hook for failed batches, and for batches of dead workers that it finds."""
        if kind is AbandonedJobError and not job.retries_left:
            self._give_up(job, "its workers died again and again")

    def _give_up(self, job: Job, reason: str) -> None:
        assert isinstance(job, BatchJob)
        try:
            batch = job.batch()
        except BatchUnreadable as error:
            # An error raised here would end one worker after another.
            log.error(events.BATCH_GIVEN_UP, job=job.id, reason=reason, products=0, unreadable=str(error))
            return
        count = self._engine.give_up(batch, f"batch given up: {reason}"[:500])
        log.error(events.BATCH_GIVEN_UP, job=job.id, reason=reason, products=count)

    def end_unfit(self, error: PagemillError) -> None:
        """Makes the process drain and end with that error."""
        declare_unfit(error)
        if not isinstance(error, WorkerWornOut):  # `leave` has logged that one
            log.error(events.WORKER_UNFIT, error=str(error))
        self._shut_down()


class Hand(BatchEnder):
    """Works off the batches of one platform, one at a time.

    It is registered with RQ from its first batch until it has been idle for a while, so that idle hands cost Redis
    nothing.
    """

    def __init__(self, queues: list[Queue], platform: str, *parts: Any) -> None:
        """`queues` are the platform's; `parts` are the further arguments of `BatchEnder`."""
        super().__init__(queues, *parts)
        self.platform = platform
        self.failure: BaseException | None = None
        """An error that ended its last batch but was not the batch's fault, such as a lost Redis."""
        self.free_since_s = 0.0
        self._thread: threading.Thread | None = None

    def _set_ip_address(self, _connection: Redis) -> None:
        """Left out, because the process' main worker has already asked."""
        self.ip_address = "unknown"

    @property
    def is_free(self) -> bool:
        """Whether it can take a batch. May be called from any thread."""
        return self._thread is None

    def take(self, job: Job, queue: Queue, wake: Callable[[], None]) -> None:
        """Starts a batch on the hand's thread and returns; the hand must be free.

        Args:
            job: the batch's job.
            queue: the queue that the batch came from.
            wake: called on the hand's thread when it is free again.
        """

        def work() -> None:
            try:
                if not self.is_born:
                    self.register_birth()  # type: ignore[no-untyped-call]
                self.execute_job(job, queue)
            except BaseException as error:  # noqa: BLE001 - the main thread must learn of it
                self.failure = error
            self._no_longer_at_work()
            self.free_since_s = time.monotonic()
            self._thread = None
            wake()

        self._thread = threading.Thread(target=work, name=f"hand {self.platform}", daemon=True)
        self._thread.start()

    def retire(self) -> None:
        """Removes the hand's registration with RQ; the hand must be free.

        Raises:
            RedisError: Redis does not answer; the registration then expires by itself.
        """
        if self.is_born:
            self.register_death()  # type: ignore[no-untyped-call]
            self.birth_date = None

    def kill_horse(self, sig: Any = None) -> None:
        """RQ's stop-job command. No child process runs the job here, so the batch itself is cancelled."""
        self._engine.interrupt(self.platform)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""
