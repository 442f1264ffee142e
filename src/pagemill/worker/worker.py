"""A worker process as RQ sees it: takes batches for all its platforms at once, and stops without losing any.

A batch that the `batch_taker` finds goes to its platform's `hand`. RQ's own loop is not used, because it works on one
job at a time, pops from several queues without a safety copy, and raises out of signal handlers.
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
from rq.command import handle_command
from rq.job import Job
from rq.logutils import setup_loghandlers
from rq.worker.base import WorkerStatus

from pagemill.broker.outage import Outage
from pagemill.config.settings import QueueSettings
from pagemill.errors import PagemillError, RedisUnavailable
from pagemill.intake.batch_job import news_channel, platform_of
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger
from pagemill.worker.batch_taker import BatchTaker
from pagemill.worker.hand import BatchEnder, Hand
from pagemill.worker.installed_engine import Engine, declare_unfit
from pagemill.worker.takeover import take_over

log = get_logger("worker")

_POLL_S = (0.02, 0.1)
"""The shortest and the longest pause in seconds between two looks at empty queues."""
_LOOK_UP_S = 0.5
"""The longest delay in noticing things that do not wake the loop, such as a signal that another thread received."""
_AWAY_S = 1.0
_HAND_IDLE_S = 60.0
"""How many seconds an idle hand stays registered with RQ."""
_SECOND_SIGNAL_S = 1.0
"""Signals closer together than this count as one request, for example from the supervisor and the terminal."""


class BatchWorker(BatchEnder):
    """The main worker of one process: takes batches for its hands, which work them off. All share one engine."""

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
            queues: the queues of all platforms, in the order in which batches are taken.
            name: unique in the fleet.
            connection: retries for long, because the end of a batch must reach Redis even after a minute.
            brisk: fails within seconds; used where something else must not wait, such as stopping.
            engine: runs the batches.
            settings: times to live.
            on_command: gets each message of RQ's command channel; returns whether it has handled the message.
        """
        beating = threading.Lock()
        parts = (connection, engine, settings, beating, self._shutdown)
        super().__init__(list(queues), name, *parts)
        self.outage = Outage()
        self._taker = BatchTaker(queues, connection, brisk, self._free_platforms)
        self._hands = {
            platform: Hand(list(its), platform, f"{name}.{platform}", *parts)
            for platform, its in self._taker.queues.items()
        }
        self._brisk = brisk
        self._on_command = on_command
        self._stopping = threading.Event()
        self._woken = threading.Event()
        """Set when a hand is free, when a queue has a new batch, or when it is time to stop."""
        self._told_s: float | None = None

    # Working

    def work(self, burst: bool = False) -> None:  # type: ignore[override]
        """Takes batches until stopped, or with `burst` until the queues are empty.

        Raises:
            RedisError: Redis stayed away, or could not be told that the worker ends.
            Exception: a hand failed by an error that was not its batch's fault.
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
                was_at_rest = self._is_at_rest  # a hand that becomes free later was not asked for
                taken = self._taker.take()
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
            elif burst and was_at_rest and not self._taker.held_back:
                return
            elif self._taker.open_queues():
                self._woken.wait(pause_s)
                pause_s = min(pause_s * 1.5, _POLL_S[1])
            else:
                self._woken.wait(_LOOK_UP_S)

    def _give(self, job: Job, queue: Queue) -> None:
        job.redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call]
        self._hands[platform_of(queue)].take(job, queue, self._woken.set)
        if self.get_state() != WorkerStatus.BUSY:
            self.set_state(WorkerStatus.BUSY)

    def _free_platforms(self) -> list[str]:
        return [platform for platform, hand in self._hands.items() if hand.is_free]

    @property
    def _is_at_rest(self) -> bool:
        return all(hand.is_free for hand in self._hands.values())

    def _look_after_hands(self) -> None:
        """Stops the worker if a hand has failed, and removes idle hands from RQ."""
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
        """Waits for all hands. Each ends at its next item boundary, or else the engine gives its batch up."""
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

    # Heartbeat

    def beat(self) -> None:
        """Sends the heartbeats of this worker, its hands and their batches. The sidecar calls it every few seconds.

        Sends none while the engine is stuck, so that other workers take the batches over when their time to live ends.
        Sends none before this worker is registered, or RQ would take its key for that of another worker.
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

    # Batches of dead workers

    def clean_registries(self) -> None:
        """Takes over the batches of dead workers. RQ's own lock would block this for 15 minutes after a crash."""
        try:
            take_over(self, self._taker.queues, self._exc_handlers)
        except NoPermissionError as error:
            self.end_unfit(RedisUnavailable.gone(error))
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]

    # Stopping

    def hear_signals(self) -> None:
        """Makes signals drain from now on. `work` does it too late, because it first waits for Redis."""
        self._install_signal_handlers()

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)

    def request_stop(self, signum: Any = None, frame: Any = None) -> None:
        """RQ's signal handler. The first signal drains; another one, a second or more later, ends everything at once.

        Raises nothing. RQ's own handler raises, in the middle of whatever the main thread does.
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
        """Drains, and then ends with that error. May be called from any thread."""
        declare_unfit(error)
        log.warning(events.WORKER_WORN_OUT, reason=str(error))
        self._shutdown()

    def _shutdown(self) -> None:
        """Takes no more batches, and stops those at work at their next item boundary. May be called from any thread."""
        self._engine.drain()
        self._stopping.set()
        self._woken.set()

    # Commands

    def subscribe(self) -> None:
        """RQ's hook. One connection and one thread receive the commands for all hands and the news of their queues."""
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
        """Handles a message of RQ's command channel."""
        self._carry_out(self, message)

    def _carry_out(self, worker: BatchEnder, message: Any) -> None:
        """Carries out a command. Errors are logged, because RQ's thread would end by them."""
        try:
            payload = json.loads(message["data"])
            if worker is not self or not self._on_command(payload):
                handle_command(worker, payload)
        except redis.RedisError as error:
            self.outage.note(error)
        except Exception:
            log.exception(events.UNEXPECTED, where="carrying a command out")

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        """RQ's hook. RQ's command thread would end at a time-out; here every Redis error is waited out."""
        if self._stopping.is_set():
            return  # an error of the closing connection
        if not isinstance(exc, redis.RedisError):
            raise exc
        self.outage.note(exc)
        time.sleep(1.0)
