"""Runs from a program of one's own: queue products, wait for them, read their results, cancel.

    import pagemill

    with pagemill.connect() as mill:
        run = mill.enqueue(rows, platform="musinsa")
        mill.wait(run)
        for result in mill.results(run, verdict="changed"):
            print(result.product_id, result.reason)

Workers do the work: `pagemill worker` must run somewhere, with the same Redis and database.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pagemill.app.parts import DATA_FOLDER, applier, platforms_meant, platforms_of_run, result_store, undoer
from pagemill.app.waiting import noticing_stranded
from pagemill.applying.told import Told
from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.config.settings import Config
from pagemill.errors import DeadlineExceeded, PagemillError, UsageError
from pagemill.intake.again import WORTH_IT, products_again
from pagemill.intake.begin import Beginner, again_of, catalogue_of
from pagemill.intake.cancel import cancel_run
from pagemill.intake.catalog import BadRow, read_rows
from pagemill.model import ItemResult, Priority, Product, Verdict
from pagemill.results.product_history import product_history
from pagemill.results.runs import RunProgress, RunSummary

_POLL_S = 0.5


class Pagemill:
    """The queue and the results, by the configuration of a folder. `connect` gives one; it is for one thread."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._parts = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as parts:
            self._redis = parts.enter_context(open_redis(self._config.environment.redis_url, DATA_FOLDER))
            self._store = parts.enter_context(result_store(self._config))
            self._beginner = Beginner(self._config, self._redis, self._store)
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def enqueue(
        self,
        products: str | Path | Iterable[Mapping[str, object]] | Iterable[Product],
        platform: str,
        *,
        source: str = "python",
        batch_size: int | None = None,
        priority: Priority | str = Priority.NORMAL,
        encoding: str = "",
        decimal: Literal[".", ","] | None = None,
        on_bad_row: Callable[[BadRow], None] | None = None,
    ) -> str:
        """Puts products on the queue as one run, in flat memory, and returns the run's id.

        Args:
            products: the path of a catalogue, `sql` or `sql:TABLE`; or rows with `id`, `url` and the values to expect,
                such as `frame.to_dict("records")` or a generator.
            platform: whose products these are; `auto`: each is of the platform whose hosts have its url's.
            source: what the list of runs says of rows; a catalogue is named by its path.
            batch_size: products in one batch; `queue.batch_size` unless told.
            priority: `high` before other runs of the platform, `low` after them.
            encoding: of a file; UTF-8 unless told.
            decimal: the decimal sign of numbers in text, the other one may part groups of three digits. Unless told,
                what could be read in two ways is a bad row.
            on_bad_row: called for each row that is no product, before it is passed over, and for what is told once of
                all. Without it the first bad row is a mistake: then nothing more is queued, and the run stays open.

        Raises:
            UsageError: an unknown platform, a bad row, or not one product.
            ServiceUnavailable: Redis or the database is out of reach; a run that was begun is gone on with by itself as
                far as it was queued.
        """
        shop = platforms_meant(self._config, platform)
        skipped = 0

        def bad(row: BadRow) -> None:
            nonlocal skipped
            skipped += row.row_skipped
            if on_bad_row is not None:
                on_bad_row(row)
            elif row.row_skipped:
                raise UsageError(f"row {row.line}: {row.reason}")

        if isinstance(products, str | Path):
            source = str(products)
            stream = catalogue_of(self._config, products, shop, bad, encoding=encoding, decimal=decimal)
        else:
            stream = read_rows(map(_row, products), shop, bad, decimal=decimal)
        return self._beginner.begin(
            stream,
            shop,
            source=source,
            batch_size=batch_size,
            priority=Priority(priority),
            skipped=lambda: skipped,
        ).run

    def again(
        self,
        run: str,
        verdicts: Iterable[Verdict | str] = WORTH_IT,
        *,
        missing: bool = True,
        priority: Priority | str = Priority.NORMAL,
    ) -> str:
        """Queues products of an older run as a new one, and returns its id.

        Args:
            run: the older one.
            verdicts: whose products are wanted.
            missing: whether products without a result are.
            priority: of the new run.

        Raises:
            UsageError: there is no such run, or it has no such product.
        """
        shop = platforms_of_run(self._config, self._store, run)
        products = products_again(run, self._store, [Verdict(each) for each in verdicts], missing)
        return self._beginner.begin(products, shop, source=again_of(run), priority=Priority(priority)).run

    def progress(self, run: str) -> RunProgress:
        """How far a run is.

        Raises:
            UsageError: there is no such run.
        """
        return self._store.progress(run)

    def wait(
        self,
        run: str,
        timeout_s: float | None = None,
        on_progress: Callable[[RunProgress], None] | None = None,
        on_stranded: Callable[[str], object] = warnings.warn,
    ) -> RunProgress:
        """Returns when every product of a run has its result, or the run was cancelled.

        Args:
            run: its id.
            timeout_s: for how long at most; without end unless told.
            on_progress: called about twice a second; what it raises ends the wait.
            on_stranded: called once, with the cause and the remedy, when the run cannot end by itself: no worker takes
                its batches, or the queue has lost them. The wait goes on. A Python warning unless told.

        Raises:
            DeadlineExceeded: it took longer.
            RunStranded: for a minute no worker has taken the run's batches, and its platform is not configured any
                more.
            UsageError: there is no such run.
        """
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        with noticing_stranded(self._config, self._store, run, on_stranded) as notice:
            while True:
                progress = self._store.progress(run)
                if on_progress is not None:
                    on_progress(progress)
                if progress.finished:
                    return progress
                if until_s is not None and time.monotonic() >= until_s:
                    raise DeadlineExceeded(f"run {run}", timeout_s or 0)
                notice()
                time.sleep(_POLL_S)

    def results(self, run: str | None = None, verdict: Verdict | str | None = None) -> Iterator[ItemResult]:
        """Streams the results of a run, or of all, by run and product id, in flat memory."""
        return self._store.read(run, None if verdict is None else Verdict(verdict))

    def history(self, product_id: str, platform: str | None = None) -> Iterator[ItemResult]:
        """Streams what became of a product in each run, the newest first; of all platforms unless one is named."""
        return product_history(self._store, product_id, platform)

    def runs(self, limit: int = 20) -> list[RunSummary]:
        """The newest runs, newest first."""
        return self._store.runs(limit)

    def cancel(self, run: str) -> None:
        """Ends a run before its time: what is done stays, nothing more is begun.

        Raises:
            UsageError: there is no such run.
        """
        cancel_run(run, self._redis, self._store)

    def apply(
        self,
        run: str,
        *,
        write: bool = False,
        on_change: Callable[[Mapping[str, object]], object] = lambda _change: None,
    ) -> Mapping[str, int]:
        """Writes what a run found into the catalogue's own table, as `pagemill apply` does; without `write` it only
        tells what would be written.

        Args:
            run: its id.
            write: whether anything is changed. It takes PAGEMILL_CATALOG_WRITE_URL.
            on_change: called for each column of each row, with the keys of `pagemill apply --format jsonl`.

        Returns:
            Rows by what became of them (`written`, `already`, `otherwise`, ...), and `columns` that were written.

        Raises:
            UsageError: there is no such run, or nothing may be written.
            ServiceUnavailable: a database is out of reach. What was told is written; the next call goes on.
        """
        return applier(self._config, self._store).apply(run, _each(on_change), writes=write).tally.figures()

    def undo(
        self,
        run: str,
        *,
        write: bool = False,
        on_change: Callable[[Mapping[str, object]], object] = lambda _change: None,
    ) -> Mapping[str, int]:
        """Takes back what was applied of a run; otherwise as `apply`.

        Raises:
            UsageError: nothing of that run is applied, or nothing may be written.
            ServiceUnavailable: the database is out of reach. What was told is undone; the next call goes on.
        """
        return undoer(self._config).undo(run, _each(on_change), writes=write).figures()


def connect(config: str | Path | None = None) -> Pagemill:
    """The queue and the results, to be used in a `with` block.

    Args:
        config: the configuration folder; `PAGEMILL_CONFIG`, or `config` in the present folder, unless told.

    Raises:
        ConfigError: the configuration has mistakes; the message has all of them.
    """
    return Pagemill(load_config(None if config is None else Path(config), os.environ))


def _each(on_change: Callable[[Mapping[str, object]], object]) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        for record in told.records():
            on_change(record)

    return tell


def _row(product: Mapping[str, object] | Product) -> Mapping[str, object]:
    if isinstance(product, Product):
        return {**product.expected, "id": product.id, "url": product.url}
    if not isinstance(product, Mapping):
        raise PagemillError(f"a product is a mapping with id and url, not {type(product).__name__}")
    return product
