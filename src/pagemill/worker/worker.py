"""A worker process as RQ sees it: it takes batches for all its platforms at once, and stops without losing anything.

One look asks for all queues whose hand is free; whatever is found goes to that hand (`hand`). RQ's own loop works one
job at a time, pops from several queues without a safety copy, and raises out of signal handlers: it is not used.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import redis
from redis import Redis
from redis.exceptions import NoPermissionError
from rq import Queue
from rq import worker_registration as registration
from rq.command import handle_command
from rq.job import Job
from rq.logutils import setup_loghandlers
from rq.registry import clean_registries
from rq.worker.base import WorkerStatus

from pagemill.broker.outage import Outage
from pagemill.config.settings import QueueSettings
from pagemill.errors import PagemillError, RedisUnavailable, ServiceUnavailable
from pagemill.intake.batch_job import news_channel, platform_of, queue_name
from pagemill.pacing.pace_script import KEY_PREFIX as PACE_PREFIX
from pagemill.script_files import read_script
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker import unreadable_jobs
from pagemill.worker.hand import MAINTENANCE_S, BatchEnder, Hand
from pagemill.worker.installed_engine import Engine, declare_unfit

log = get_logger("worker")

_POLL_S = (0.02, 0.1)
"""The first and the longest pause between two looks at empty queues."""
_LOOK_UP_S = 0.5
"""How late something may be noticed that wakes nobody, such as a signal that another thread gets."""
_AWAY_S = 1.0
_HAND_IDLE_S = 60.0
"""How long RQ knows a hand that has nothing to do."""
_SECOND_SIGNAL_S = 1.0
"""Signals that come closer together are one request: a supervisor's and the terminal's."""

_TAKE = read_script(__file__, "take.lua")


class BatchWorker(BatchEnder):
    """One process' worker: it takes batches, its hands work them off. Their engine outlives all of them."""

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
            queues: those of each platform, in the order in which they are taken from.
            name: unique in the fleet.
            connection: patient: what ends a batch must reach Redis, be it after a minute.
            brisk: fails within seconds: used where something else must go on meanwhile, such as stopping.
            engine: runs the batches.
            settings: times to live.
            on_command: is shown each message of RQ's command channel; whether it was for it, and not RQ's own.
        """
        beating = threading.Lock()
        parts = (connection, engine, settings, beating, self._shutdown)
        super().__init__(list(queues), name, *parts)
        self.outage = Outage()
        self._queues = {
            platform: [queue for queue in queues if platform_of(queue) == platform]
            for platform in dict.fromkeys(map(platform_of, queues))
        }
        """By platform; the platform that is asked first stands first."""
        self._hands = {
            platform: Hand(its, platform, f"{name}.{platform}", *parts) for platform, its in self._queues.items()
        }
        self._brisk = brisk
        self._on_command = on_command
        self._take_script = brisk.register_script(_TAKE)
        self._stopping = threading.Event()
        self._woken = threading.Event()
        """Set when a hand has become free, when something was put on a queue, or when it is time to stop."""
        self._held_back = 0
        self._told_s: float | None = None
        self._alone: Queue | None = None
        """The queue whose next batch is worked off with no other beside it."""

    # Working

    def work(self, burst: bool = False) -> None:  # type: ignore[override]
        """Takes batches until stopped, or with `burst` until the queues are empty.

        Raises:
            RedisError: Redis went away for good, or the farewell did not reach it.
            Exception: a hand failed by something that was not its batch's fault.
        """
        for logger in ("rq.worker", "rq.job"):
            setup_loghandlers("WARNING", name=logger)
        self.register_birth()  # type: ignore[no-untyped-call]
        self.heartbeat(self._ttl_s)
        self.subscribe()
        self.set_state(WorkerStatus.IDLE)
        self._install_signal_handlers()
        try:
            try:
                self._take_until_stopped(burst)
            except BaseException:
                self._shutdown()
                raise
            finally:
                self._wait_for_hands()
        finally:
            self._stopping.set()
            self._say_farewell()
        if (failure := self._failure()) is not None:
            raise failure

    def _take_until_stopped(self, burst: bool) -> None:
        pause_s = _POLL_S[0]
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._look_after_hands()
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
                if self._stopping.is_set():
                    return
                was_at_rest = self._is_at_rest  # a hand that becomes free from here on has a queue that was not asked
                taken = self._take()
                if taken is not None:
                    self._give(*taken)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                self.outage.note(error)
                self._woken.wait(_AWAY_S)
                continue
            except NoPermissionError as error:
                self.end_unfit(RedisUnavailable.gone(error))
                return
            self.outage.over()
            if taken is not None:
                pause_s = _POLL_S[0]
            elif burst and was_at_rest and not self._held_back:
                return
            elif self._open_queues():
                self._woken.wait(pause_s)
                pause_s = min(pause_s * 1.5, _POLL_S[1])
            else:
                self._woken.wait(_LOOK_UP_S)

    def _take(self) -> tuple[Job, Queue] | None:
        """The next batch for a hand that is free, if there is one."""
        while True:
            queues = self._open_queues()
            if not queues:
                self._held_back = 0
                return None
            keys = [key for platform, its in queues.items() for key in (PACE_PREFIX + platform, *_keys(its))]
            found = self._take_script(keys=keys, args=[len(its) for its in queues.values()])
            if isinstance(found, int):
                if self._alone is not None:  # somebody else has it by now: look at all queues again
                    self._alone = None
                    continue
                self._held_back = found
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
            if job.retries_left == 0 and not self._is_at_rest:
                self._put_back(queue, job)
                return None
            job.redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call]
            return job, queue

    def _open_queues(self) -> dict[str, list[Queue]]:
        """Those of each platform for which something may be taken now."""
        if self._alone is None:
            return {platform: its for platform, its in self._queues.items() if self._hands[platform].is_free}
        return {platform_of(self._alone): [self._alone]} if self._is_at_rest else {}

    def _put_back(self, queue: Queue, job: Job) -> None:
        """The batch has one try left: each of its workers died, or it failed each time. With others beside it they
        would die with it; and where it is one of them that ends the workers, it would be given up for that."""
        self._alone = queue
        with self.connection.pipeline() as pipeline:
            queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.lrem(queue.intermediate_queue.key, 1, job.id)
            pipeline.execute()

    def _give(self, job: Job, queue: Queue) -> None:
        self._alone = queue if job.retries_left == 0 else None
        self._hands[platform_of(queue)].take(job, queue, self._woken.set)
        if self.get_state() != WorkerStatus.BUSY:
            self.set_state(WorkerStatus.BUSY)

    @property
    def _is_at_rest(self) -> bool:
        return all(hand.is_free for hand in self._hands.values())

    def _look_after_hands(self) -> None:
        """Stops when one has failed; has RQ forget those that have been idle for a while."""
        if self._failure() is not None:
            self._shutdown()
        if self.get_state() == WorkerStatus.BUSY and self._is_at_rest:
            self.set_state(WorkerStatus.IDLE)
        for hand in self._hands.values():
            if hand.is_born and hand.is_free and time.monotonic() - hand.free_since_s > _HAND_IDLE_S:
                with self._beating:
                    hand.retire()

    def _failure(self) -> BaseException | None:
        return next((hand.failure for hand in self._hands.values() if hand.failure is not None), None)

    def _wait_for_hands(self) -> None:
        """Each ends at its next item boundary, and is given up on by the engine if it does not."""
        while not self._is_at_rest:
            self._woken.wait(_LOOK_UP_S)
            self._woken.clear()

    def _say_farewell(self) -> None:
        with self._beating:
            for hand in self._hands.values():
                hand.retire()
            self.register_death()  # type: ignore[no-untyped-call]
            self.birth_date = None
        self.unsubscribe()  # type: ignore[no-untyped-call]

    # The beat

    def beat(self) -> None:
        """Tells Redis that this worker, its hands and their batches are alive; called every few seconds by the sidecar.

        Not while the engine is stuck: then the batches are taken over by other workers when the time to live has run
        out. Nor before the worker is born: RQ would take its own key for that of another worker of the same name.
        """
        if not self._engine.is_lively():
            return
        with self._beating, self._brisk.pipeline() as pipeline:
            living = [each for each in (self, *self._hands.values()) if each.is_born]
            if not living:
                return
            positions = [each.add_beat(pipeline) for each in living]
            answers = pipeline.execute()
            lost = [each for each, position in zip(living, positions, strict=True) if answers[position] == 1]
            if lost and not self._stopping.is_set():
                for each in lost:
                    each.introduce_again(pipeline)
                pipeline.execute()

    # Looking after the dead

    def clean_registries(self) -> None:
        """Takes over what dead workers left. RQ's own lock would block this for 15 minutes after a crash in here."""
        try:
            self._take_over()
        except NoPermissionError as error:
            self.end_unfit(RedisUnavailable.gone(error))
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]

    def _take_over(self) -> None:
        for platform, queues in self._queues.items():
            lock = f"pagemill:maintenance:{queue_name(platform)}"
            if self.connection.set(lock, self.name, nx=True, ex=MAINTENANCE_S):
                try:
                    for queue in queues:
                        self._look_after(queue)
                except ServiceUnavailable as error:
                    self.end_unfit(error)
                    break

    def _look_after(self, queue: Queue) -> None:
        try:
            clean_registries(queue, self._exc_handlers)
            registration.clean_worker_registry(queue)
            queue.intermediate_queue.cleanup(self, queue)
        except ServiceUnavailable:
            raise
        except redis.RedisError as error:
            if not str(error).startswith("WRONGTYPE") or not unreadable_jobs.clear(queue):
                raise
        except Exception:
            # RQ could not read something; whatever it was, the batches of the dead must not wait behind it.
            if not unreadable_jobs.clear(queue):
                log.exception(events.UNEXPECTED, where=f"looking after {queue.name}")

    # Stopping

    def hear_signals(self) -> None:
        """From now on a signal drains, also before `work`, which calls this too late: not before Redis has answered."""
        self._install_signal_handlers()

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)

    def request_stop(self, signum: Any = None, frame: Any = None) -> None:
        """RQ's signal handler. The first signal drains; another one, a second or more later, ends everything at once.

        It raises nothing: RQ's version would, out of the middle of whatever the main thread does.
        """
        now_s = time.monotonic()
        if self._told_s is None:
            self._told_s = now_s
            log.info(events.WORKER_DRAINING, worker=self.name)
            self._shutdown()
        elif now_s - self._told_s >= _SECOND_SIGNAL_S:
            self._told_s = now_s
            self._engine.halt()

    def leave(self, error: PagemillError) -> None:
        """Drains, and ends with that error. From any thread."""
        declare_unfit(error)
        log.warning(events.WORKER_WORN_OUT, reason=str(error))
        self._shutdown()

    def _shutdown(self) -> None:
        """Takes nothing any more, and has the batches at work stop at their next item boundary. From any thread."""
        self._engine.drain()
        self._stopping.set()
        self._woken.set()

    # Commands

    def subscribe(self) -> None:
        """RQ's; one connection and one thread hear the commands for all hands, and what was put on their queues."""
        self.pubsub = self.connection.pubsub()  # type: ignore[no-untyped-call]
        channels: dict[str, Callable[[Any], None]] = {self.pubsub_channel_name: self.handle_payload}
        for platform, hand in self._hands.items():
            channels[hand.pubsub_channel_name] = partial(self._carry_out, hand)
            channels[news_channel(platform)] = lambda _message: self._woken.set()
        self.pubsub.subscribe(**channels)
        self.pubsub_thread = self.pubsub.run_in_thread(  # type: ignore[assignment]
            sleep_time=60, daemon=True, exception_handler=self._pubsub_exception_handler
        )

    def handle_payload(self, message: Any) -> None:
        """A message of RQ's command channel."""
        self._carry_out(self, message)

    def _carry_out(self, worker: BatchEnder, message: Any) -> None:
        """RQ's thread would die of a message that it cannot read."""
        try:
            payload = json.loads(message["data"])
            if worker is not self or not self._on_command(payload):
                handle_command(worker, payload)
        except redis.RedisError as error:
            self.outage.note(error)
        except Exception:
            log.exception(events.UNEXPECTED, where="carrying a command out")

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        """RQ lets its command thread die of a time-out; here every Redis error is waited out."""
        if self._stopping.is_set():
            return  # whatever a connection says that is closed at that moment
        if not isinstance(exc, redis.RedisError):
            raise exc
        self.outage.note(exc)
        time.sleep(1.0)


def _keys(queues: Sequence[Queue]) -> list[str]:
    return [queue.key for queue in queues]
