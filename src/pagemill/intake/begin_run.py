"""Begins runs with the settings of one configuration, for commands, the scheduler, programs and the control API.

Decides which settings a run gets. Its caller decides where the products come from and what happens to bad rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from pathlib import Path

from redis import Redis

from pagemill.config.settings import Config
from pagemill.intake.catalog import BadRow, Decimal, read_catalog
from pagemill.intake.enqueue import EnqueuedRun, enqueue_run
from pagemill.intake.platforms import Platforms
from pagemill.intake.remaining_rows import rest_of
from pagemill.model import Priority, Product
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.runs import Telling
from pagemill.results.store import ResultStore

MOST_BATCH = 1000
"""The most products in a batch."""
MOST_SOURCE = 200
"""The most characters in a text that says where products come from."""


class Beginner:
    """Begins runs on one queue; their results go to one store."""

    def __init__(self, config: Config, redis: Redis, store: ResultStore) -> None:
        """
        Args:
            config: its settings are used.
            redis: the queue's Redis; its answers are bytes.
            store: open.
        """
        self._config = config
        self.redis = redis
        self.store = store

    def catalogue(
        self,
        source: str | Path,
        platform: Platforms,
        on_bad_row: Callable[[BadRow], None],
        *,
        encoding: str = "",
        decimal: Decimal = None,
        called: str = "",
    ) -> Iterator[Product]:
        """The products of a catalogue; see `catalogue_of`."""
        return catalogue_of(
            self._config, source, platform, on_bad_row, encoding=encoding, decimal=decimal, called=called
        )

    def reached(self, run: str) -> Reached:
        """How far that run is on the queue; `NOTHING` if it was not begun."""
        return AskedBatches(self.store).reached(run)

    def rest(
        self, products: Iterator[Product], run: str, watched: Callable[[Iterator[Product]], Iterator[Product]]
    ) -> Generator[Product]:
        """The products that a broken-off run still lacks. `watched` wraps the reading of its batches."""
        return rest_of(products, watched(AskedBatches(self.store).products(run)), partial(self.store.judged, run))

    def begin(
        self,
        products: Iterable[Product],
        platform: Platforms,
        *,
        source: str,
        batch_size: int | None = None,
        priority: Priority = Priority.NORMAL,
        on_batch: Callable[[int], None] | None = None,
        skipped: Callable[[], int] | None = None,
        run: str = "",
        start: Reached = NOTHING,
        telling: Telling | None = None,
    ) -> EnqueuedRun:
        """Puts products on the queue as one run, see `enqueue_run`; `batch_size` is the settings' by default."""
        return enqueue_run(
            products,
            platform,
            source=source,
            batch_size=batch_size or self._config.settings.queue.batch_size,
            settings=self._config.settings.queue,
            redis=self.redis,
            store=self.store,
            priority=priority,
            on_batch=on_batch,
            skipped=skipped,
            run=run,
            start=start,
            telling=telling,
        )


def catalogue_of(
    config: Config,
    source: str | Path,
    platform: Platforms,
    on_bad_row: Callable[[BadRow], None],
    *,
    encoding: str = "",
    decimal: Decimal = None,
    called: str = "",
) -> Iterator[Product]:
    """Streams the products of a file or a table, see `read_catalog`."""
    url, slow_ms = config.environment.catalog_database_url, config.settings.results.slow_statement_ms
    return read_catalog(source, platform, on_bad_row, url, slow_ms, encoding, decimal, called=called)


def again_of(run: str) -> str:
    """The source of a run that repeats another run, as the list of runs shows it."""
    return f"again {run}"
