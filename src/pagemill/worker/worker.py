"""The RQ worker: takes batches of several platforms in turn, keeps a short beat, and stops without losing anything.

RQ's own SimpleWorker beats only between jobs, pops from several queues without a safety copy, and raises out of a
signal handler when it is idle. What is overridden here is exactly that; the comments name RQ's behaviour.
"""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import redis
from redis import Redis
from redis.exceptions import NoPermissionError
from rq import Queue, SimpleWorker
from rq import worker_registration as registration
from rq.command import handle_command
from rq.exceptions import AbandonedJobError, DeserializationError, NoSuchJobError, StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.registry import clean_registries
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

from pagemill.config.settings import QueueSettings
from pagemill.errors import PagemillError, RedisUnavailable, ServiceUnavailable, WorkerWornOut
from pagemill.intake.batch_job import QUEUE_PREFIX, BatchUnreadable, from_arguments
from pagemill.pacing.pace_script import KEY_PREFIX as PACE_PREFIX
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker.handle import Engine, declare_unfit, unfit
from pagemill.worker.outage import Outage

log = get_logger("worker")

_POLL_S = (0.02, 0.1)
"""The first and the longest pause between two looks at empty queues."""
_MAINTENANCE_S = 10

_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held_back = 0
for i = 1, #KEYS / 2 do
  local key = KEYS[i]
  local closed = redis.call('HMGET', KEYS[#KEYS / 2 + i], 'pause_us', 'open_us')
  if math.max(tonumber(closed[1]) or 0, tonumber(closed[2]) or 0) > now then
    held_back = held_back + redis.call('LLEN', key)
  else
    local id = redis.call('LMOVE', key, key .. ':intermediate', 'LEFT', 'RIGHT')
    if id then
      redis.call('DEL', key .. ':intermediate:first_seen:' .. id)
      return {key, id}
    end
  end
end
return held_back
"""
"""Takes from the first queue that has something and leaves a safety copy, as RQ itself does for a single queue.

In: the queues, then in the same order where their platforms' pace is kept. A platform that the fleet leaves alone keeps
its batches. Out: a queue and a job; or how many batches were held back so.

RQ marks a copy that it finds with the time, for a day. A mark of an earlier taking would let maintenance take this one
for stuck at once, so it goes."""


class BatchWorker(SimpleWorker):
    """One process' worker. Its engine outlives the jobs."""

    log_result_lifespan = False

    def __init__(
        self,
        queues: Sequence[Queue],
        name: str,
        connection: Redis,
        brisk: Redis,
        engine: Engine,
        settings: QueueSettings,
        on_command: Callable[[Mapping[str, Any]], bool] = lambda _payload: False,
    ) -> None:
        """
        Args:
            queues: one for each platform.
            name: unique in the fleet.
            connection: patient: what ends a batch must reach Redis, be it after a minute.
            brisk: fails within seconds: used where something else must go on meanwhile, such as stopping.
            engine: runs the batches.
            settings: times to live.
            on_command: is shown each message of RQ's command channel; whether it was for it, and not RQ's own.
        """
        super().__init__(
            queues,
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            exception_handlers=[self._on_exception],
            maintenance_interval=_MAINTENANCE_S,
            worker_ttl=settings.heartbeat_ttl_s,
            log_job_description=False,
        )
        self.outage = Outage()
        self.ended_well = False
        """RQ's loop ends without a word on errors that it does not expect; this tells such an end from a good one."""
        self._brisk = brisk
        self._engine = engine
        self._on_command = on_command
        self._ttl_s = settings.heartbeat_ttl_s
        self._take_script = brisk.register_script(_TAKE)
        self._stopping = threading.Event()
        self._beat_lock = threading.Lock()
        self._at_work: tuple[Job, Execution] | None = None
        self._held_back = 0

    def beat(self) -> None:
        """Tells Redis that this worker and its batch are alive; called every few seconds by the sidecar.

        Not while the engine is stuck: then the batch is taken over by another worker when the time to live has run out.
        Nor before the worker is born: RQ would take its own key for that of another worker of the same name.
        """
        if self.birth_date is None or not self._engine.is_lively():
            return
        with self._beat_lock, self._brisk.pipeline() as pipeline:
            self.heartbeat(self._ttl_s, pipeline=pipeline)
            if self._at_work is not None:
                job, execution = self._at_work
                execution.heartbeat(job.started_job_registry, self._ttl_s, pipeline=pipeline)
                job.heartbeat(datetime.now(UTC), self._ttl_s, pipeline=pipeline, xx=True)
            key_is_new = pipeline.execute()[0] == 1
            if key_is_new and not self._stopping.is_set():
                self._introduce_again(pipeline)

    def _introduce_again(self, pipeline: Any) -> None:
        """The worker's key ran out while Redis was away: without the rest of it RQ neither lists nor commands it."""
        registration.register(self, pipeline)
        pipeline.hset(self.key, mapping={**self.serialize(), "state": self.get_state()})
        if self._at_work is not None:
            self.set_current_job_id(self._at_work[0].id, pipeline=pipeline)
        pipeline.expire(self.key, self._ttl_s)
        pipeline.execute()

    def _set_ip_address(self, connection: Redis) -> None:
        """RQ warns where its user may not name its connection: its address then stays unknown, which nobody misses."""
        with warnings.catch_warnings(action="ignore"):
            super()._set_ip_address(connection)

    # Taking batches

    def _set_connection(self, connection: Redis) -> Redis:
        """RQ would raise the socket's time limit above the worker's time to live; nothing here blocks that long."""
        return connection

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next batch; `None` when the queues are empty and `timeout` is `None` (burst).

        RQ's version raises out of the signal handler, which can lose a batch that was taken at that moment.

        Raises:
            StopRequested: a stop was asked for and no batch is in hand.
        """
        self.set_state(WorkerStatus.IDLE)
        pause_s = _POLL_S[0]
        while not self._stopping.is_set():
            try:
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
                taken = self._take()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                self.outage.note(error)
                self._stopping.wait(1.0)
                continue
            except NoPermissionError as error:
                self._end_unfit(RedisUnavailable.gone(error))
                break
            self.outage.over()
            if taken is not None:
                return taken
            if timeout is None and not self._held_back:
                self.ended_well = True
                return None
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 1.5, _POLL_S[1])
        raise StopRequested

    def _take(self) -> tuple[Job, Queue] | None:
        while True:
            queues = self._ordered_queues
            found = self._take_script(keys=[*(queue.key for queue in queues), *map(_pace_key, queues)])
            if isinstance(found, int):
                self._held_back = found
                return None
            key, job_id = (part.decode() if isinstance(part, bytes) else part for part in found)
            queue = next(queue for queue in self.queues if queue.key == key)
            try:
                job = Job.fetch(job_id, connection=self.connection, serializer=self.serializer)
            except NoSuchJobError:
                queue.intermediate_queue.remove(job_id)  # it was deleted while it waited
                continue
            # Every platform gets its turn, however long the others' queues are.
            position = self._ordered_queues.index(queue)
            self._ordered_queues = self._ordered_queues[position + 1 :] + self._ordered_queues[: position + 1]
            job.redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call]
            return job, queue

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """RQ keeps a safety copy, and so removes it, for workers of a single queue only; ours always has one."""
        super().prepare_job_execution(job, remove_from_intermediate_queue=True)
        if self.execution is not None:
            with self._beat_lock:
                self._at_work = (job, self.execution)

    def get_heartbeat_ttl(self, job: Job) -> int:
        """RQ's SimpleWorker would let a dead worker's job wait for its whole time-out."""
        return self._ttl_s

    def clean_registries(self) -> None:
        """Takes over what dead workers left. RQ's own lock would block this for 15 minutes after a crash in here."""
        try:
            self._take_over()
        except NoPermissionError as error:
            # RQ would end its loop with a traceback.
            self._end_unfit(RedisUnavailable.gone(error))
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]

    def _take_over(self) -> None:
        for queue in self.queues:
            lock = f"pagemill:maintenance:{queue.name}"
            if self.connection.set(lock, self.name, nx=True, ex=_MAINTENANCE_S):
                try:
                    clean_registries(queue, self._exc_handlers)
                    registration.clean_worker_registry(queue)
                    queue.intermediate_queue.cleanup(self, queue)
                except ServiceUnavailable as error:
                    self._end_unfit(error)
                    break

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
                self._end_unfit(error)
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
            self._end_unfit(error)
            return
        super().handle_job_failure(job, queue, started_job_registry, exc_string)

    def _on_exception(self, job: Job, kind: type[BaseException], *_rest: Any) -> None:
        """RQ calls this for failures, and for the batches of dead workers that it finds."""
        if kind is AbandonedJobError and not job.retries_left:
            self._give_up(job, "its workers died again and again")

    def _give_up(self, job: Job, reason: str) -> None:
        try:
            batch = from_arguments(*job.args)
        except (BatchUnreadable, TypeError, DeserializationError) as error:
            # An error out of here would end one worker after another.
            log.error(events.BATCH_GIVEN_UP, job=job.id, reason=reason, products=0, unreadable=str(error))
            return
        count = self._engine.give_up(batch, f"batch given up: {reason}"[:500])
        log.error(events.BATCH_GIVEN_UP, job=job.id, reason=reason, products=count)

    def _end_unfit(self, error: PagemillError) -> None:
        declare_unfit(error)
        if not isinstance(error, WorkerWornOut):  # that one has been told by `leave`
            log.error(events.WORKER_UNFIT, error=str(error))
        self._shutdown()

    def _no_longer_at_work(self) -> None:
        with self._beat_lock:
            self._at_work = None

    # Stopping

    def hear_signals(self) -> None:
        """From now on a signal drains, also before `work`, which calls this too late: not before Redis has answered."""
        self._install_signal_handlers()  # type: ignore[no-untyped-call]

    def handle_warm_shutdown_request(self) -> None:
        """First signal, or RQ's shutdown command: drain."""
        log.info(events.WORKER_DRAINING, worker=self.name)
        self._engine.drain()

    def leave(self, error: PagemillError) -> None:
        """Drains, and ends with that error. From any thread."""
        declare_unfit(error)
        log.warning(events.WORKER_WORN_OUT, reason=str(error))
        self._engine.drain()
        self._shutdown()

    def _shutdown(self) -> None:
        """Only sets flags: RQ's version talks to Redis, or raises, inside the signal handler."""
        self._stop_requested = True
        self.ended_well = True
        self._stopping.set()

    def handle_payload(self, message: Any) -> None:
        """A message of RQ's command channel. RQ's thread would die of one that it cannot read."""
        try:
            payload = json.loads(message["data"])
            if not self._on_command(payload):
                handle_command(self, payload)
        except redis.RedisError as error:
            self.outage.note(error)
        except Exception:
            log.exception(events.UNEXPECTED, where="carrying a command out")

    def kill_horse(self, sig: Any = None) -> None:
        """RQ's stop-job command; there is no horse, the batch itself is cancelled."""
        self._engine.interrupt()

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        """RQ lets its command thread die of a time-out; here every Redis error is waited out."""
        if self._stopping.is_set():
            return  # whatever a connection says that is closed at that moment
        if not isinstance(exc, redis.RedisError):
            raise exc
        self.outage.note(exc)
        time.sleep(1.0)


def _pace_key(queue: Queue) -> str:
    return PACE_PREFIX + queue.name.removeprefix(QUEUE_PREFIX)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""
