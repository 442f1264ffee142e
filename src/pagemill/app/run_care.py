"""The thread by which a worker or scheduler checks the runs: for batches that the queue has lost, for dead enqueuers,
and for runs that cannot end by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from redis import Redis

from pagemill.broker.repeating_thread import RepeatingThread
from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.fleet.stranded_runs import StrandedWatch, read_stranded
from pagemill.intake.enqueuer_life import DeadEnqueuers
from pagemill.intake.lost_batches import LOOK_S, LostBatches
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("queue")

_SURE_S = 25.0
_CLOSE_S = 10.0


@contextmanager
def looking_after_runs(
    redis: Redis,
    store: ResultStore,
    platforms: Callable[[], Mapping[str, Platform]],
    settings: QueueSettings,
    name: str,
) -> Iterator[None]:
    """Checks the runs during the `with` block. Only one process of the fleet does it at a time.

    Args:
        redis: fails within seconds.
        store: open.
        platforms: gives the platforms that are configured now.
        settings: those of the queue.
        name: this process' name, unique in the fleet.
    """
    lost = LostBatches(AskedBatches(store), redis, platforms, settings, name)
    enqueuers = DeadEnqueuers(store)
    watch = StrandedWatch(lambda: read_stranded(redis, store, platforms), 0, _SURE_S)

    def look() -> None:
        lost.look()
        if not lost.leads:
            enqueuers.forget()
            return
        enqueuers.look()
        for each in watch.news():
            if each.is_broken_off:
                continue  # was logged when the run broke off
            log.error(
                events.RUN_STRANDED,
                run=each.run,
                platform=each.platform,
                batches=each.batches,
                cause=each.cause.value,
                remedy=each.remedy,
            )

    rounds = RepeatingThread("lost batches", LOOK_S, look, lost.close)
    rounds.open()
    try:
        yield
    finally:
        rounds.close(_CLOSE_S)
