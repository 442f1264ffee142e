"""The thread by which a worker or scheduler looks after runs: what the queue has lost, whose enqueuer died, what cannot
end by itself."""

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
    """Looks for the `with` block. One process of the fleet does at a time.

    Args:
        redis: fails within seconds.
        store: open.
        platforms: those that are configured now.
        settings: of the queue.
        name: this process', unique in the fleet.
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
                continue  # told when it was noticed
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
