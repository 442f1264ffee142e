"""Runs from your own program: queue products, wait for a run, read its results, cancel it.

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

from pagemill import arguments
from pagemill.app.applying import applier, undoer
from pagemill.app.parts import DATA_FOLDER, platforms_meant, platforms_of_run, result_store
from pagemill.app.wait_for_run import noticing_stranded, whole_run
from pagemill.applying.row_report import RowReport
from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.config.settings import Config
from pagemill.errors import DeadlineExceeded, UsageError
from pagemill.intake.begin_run import MOST_BATCH, MOST_SOURCE, Beginner, again_of
from pagemill.intake.cancel import cancel_run
from pagemill.intake.catalog import BadRow, read_rows
from pagemill.intake.run_again import WORTH_IT, products_again
from pagemill.model import ItemResult, Priority, Product, Verdict
from pagemill.results.product_history import product_history
from pagemill.results.runs import RunProgress, RunSummary
from pagemill.results.store import ResultStore

_POLL_S = 0.5
_MOST_RUNS = 100_000
_ROW_REMEDY = "a product is a mapping with id and url, or a pagemill.Product; of a data frame, frame.to_dict('records')"


class Pagemill:
    """Access to the queue and the results of one configuration. Made by `connect`; to be used by one thread."""

    def __init__(self, config: Config) -> None:
        if not isinstance(config, Config):
            raise UsageError("Pagemill takes a configuration that was read: pagemill.connect(FOLDER) does that")
        self._config = config
        self._parts = ExitStack()
        self._opened: Beginner | None = None

    def __enter__(self) -> Self:
        with ExitStack() as parts:
            redis = parts.enter_context(open_redis(self._config.environment.redis_url, DATA_FOLDER))
            store = parts.enter_context(result_store(self._config))
            self._opened = Beginner(self._config, redis, store)
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None
        self._parts.close()

    @property
    def _beginner(self) -> Beginner:
        if self._opened is None:
            raise UsageError("the queue is not open: write `with pagemill.connect() as mill:` and use it in that block")
        return self._opened

    @property
    def _store(self) -> ResultStore:
        return self._beginner.store

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
        """Puts products on the queue as one run, using little memory, and returns the run's id.

        Args:
            products: the path of a catalogue, `sql` or `sql:TABLE`; or rows with `id`, `url` and the expected values,
                such as `frame.to_dict("records")` or a generator.
            platform: the products' platform. With `auto` each product gets the platform whose hosts include its URL's.
            source: shown in the list of runs as the origin of rows, up to 200 characters. A catalogue shows its path.
            batch_size: products in one batch, up to 1,000; `queue.batch_size` by default.
            priority: `high` runs before the platform's other runs, `low` after them.
            encoding: the file's encoding; UTF-8 by default.
            decimal: the decimal sign of numbers in text; the other sign may then separate groups of three digits.
                Without it, a number that can be read in two ways makes a bad row.
            on_bad_row: called for each bad row, which is then skipped, and for warnings about the whole source. Without
                it the first bad row is an error: nothing more is queued, and the run ends with the products queued so
                far.

        Raises:
            UsageError: a wrong argument, an unknown platform, a bad row, or no products at all.
            ServiceUnavailable: Redis or the database is out of reach. A run that was begun continues by itself with the
                products queued so far.
        """
        beginner = self._beginner
        shop = platforms_meant(self._config, arguments.text("platform", platform))
        arguments.text("source", source, MOST_SOURCE)
        if batch_size is not None:
            batch_size = arguments.whole_number("batch_size", batch_size, 1, MOST_BATCH)
        wanted = arguments.one_of("priority", priority, Priority)
        arguments.text("encoding", encoding)
        arguments.decimal_sign("decimal", decimal)
        if on_bad_row is not None:
            arguments.function("on_bad_row", on_bad_row)
        skipped = 0

        def bad(row: BadRow) -> None:
            nonlocal skipped
            skipped += row.row_skipped
            if on_bad_row is not None:
                on_bad_row(row)
            elif row.row_skipped:
                raise UsageError(f"row {row.line}: {row.reason}")

        if isinstance(products, str | Path):
            source = arguments.text("products", str(products))
            stream = beginner.catalogue(products, shop, bad, encoding=encoding, decimal=decimal)
        elif encoding:
            raise UsageError("encoding is of a file, and rows have none: leave it out")
        else:
            stream = read_rows(_rows(products), shop, bad, decimal=decimal)
        return beginner.begin(
            stream, shop, source=source, batch_size=batch_size, priority=wanted, skipped=lambda: skipped
        ).run

    def again(
        self,
        run: str,
        verdicts: Iterable[Verdict | str] = WORTH_IT,
        *,
        missing: bool = True,
        priority: Priority | str = Priority.NORMAL,
    ) -> str:
        """Queues products of an older run as a new run, and returns the new run's id.

        Args:
            run: the older run's id.
            verdicts: products with these verdicts are queued.
            missing: whether products without a result are queued, too.
            priority: the new run's priority.

        Raises:
            UsageError: a wrong argument, or there is no such run, or it has no such product.
        """
        shop = platforms_of_run(self._config, self._store, arguments.text("run", run))
        words = arguments.several_of("verdicts", verdicts, Verdict)
        wanted = arguments.one_of("priority", priority, Priority)
        products = products_again(run, self._store, words, arguments.flag("missing", missing))
        return self._beginner.begin(products, shop, source=again_of(run), priority=wanted).run

    def progress(self, run: str) -> RunProgress:
        """How far a run has come.

        Raises:
            UsageError: there is no such run.
        """
        return self._store.progress(arguments.text("run", run))

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
            timeout_s: the longest wait; unlimited by default.
            on_progress: called about twice a second; an exception that it raises ends the wait.
            on_stranded: called once, with cause and remedy, if the run cannot end by itself: no worker takes its
                batches, the queue has lost them, or its enqueueing broke off. The wait goes on. By default it is a
                Python warning.

        Raises:
            DeadlineExceeded: it took longer than `timeout_s`.
            RunStranded: for a minute no worker has taken the run's batches, and its platform is no longer configured.
            RunIncomplete: its enqueueing broke off, and all products queued by then have a result.
            UsageError: a wrong argument, or there is no such run.
        """
        arguments.text("run", run)
        until_s = None if timeout_s is None else time.monotonic() + arguments.seconds("timeout_s", timeout_s)
        if on_progress is not None:
            arguments.function("on_progress", on_progress)
        arguments.function("on_stranded", on_stranded)
        with noticing_stranded(self._config, self._store, run, on_stranded) as notice:
            while True:
                progress = self._store.progress(run)
                if on_progress is not None:
                    on_progress(progress)
                if progress.finished:
                    return whole_run(progress)
                if until_s is not None and time.monotonic() >= until_s:
                    raise DeadlineExceeded(f"run {run}", timeout_s or 0)
                notice()
                time.sleep(_POLL_S)

    def results(self, run: str | None = None, verdict: Verdict | str | None = None) -> Iterator[ItemResult]:
        """Streams the results of one run or of all runs, ordered by run and product id, using little memory.

        Raises:
            UsageError: there is no such run, or no such verdict.
        """
        if run is not None:
            self._store.platform_of(arguments.text("run", run))  # an unknown run is an error
        return self._store.read(run, None if verdict is None else arguments.one_of("verdict", verdict, Verdict))

    def history(self, product_id: str, platform: str | None = None) -> Iterator[ItemResult]:
        """Streams a product's result in each run, newest first; on all platforms unless one is named."""
        if platform is not None:
            arguments.text("platform", platform)
        return product_history(self._store, arguments.text("product_id", product_id), platform)

    def runs(self, limit: int = 20) -> list[RunSummary]:
        """The latest runs, newest first."""
        return self._store.runs(arguments.whole_number("limit", limit, 1, _MOST_RUNS))

    def cancel(self, run: str) -> None:
        """Cancels a run: existing results stay, and no further visit begins.

        Raises:
            UsageError: there is no such run.
        """
        cancel_run(arguments.text("run", run), self._beginner.redis, self._store)

    def apply(
        self,
        run: str,
        *,
        write: bool = False,
        on_change: Callable[[Mapping[str, object]], object] = lambda _change: None,
    ) -> Mapping[str, int]:
        """Writes what a run found into the catalogue's own table, as `pagemill apply` does. Without `write` it only
        reports what would be written.

        Args:
            run: its id.
            write: whether the table is changed. That needs PAGEMILL_CATALOG_WRITE_URL.
            on_change: called for each column of each row, with the keys of `pagemill apply --format jsonl`.

        Returns:
            The number of rows by outcome (`written`, `already`, `otherwise`, ...), and of written `columns`.

        Raises:
            UsageError: there is no such run, or nothing may be written.
            ServiceUnavailable: a database is out of reach. What was reported is written; the next call continues.
        """
        arguments.text("run", run)
        arguments.function("on_change", on_change)
        return applier(self._config, self._store).apply(run, _each(on_change), writes=write).tally.figures()

    def undo(
        self,
        run: str,
        *,
        write: bool = False,
        on_change: Callable[[Mapping[str, object]], object] = lambda _change: None,
    ) -> Mapping[str, int]:
        """Undoes what was applied of a run. Arguments and result are those of `apply`.

        Raises:
            UsageError: nothing of that run is applied, or nothing may be written.
            ServiceUnavailable: the database is out of reach. What was reported is undone; the next call continues.
        """
        arguments.text("run", run)
        arguments.function("on_change", on_change)
        return undoer(self._config).undo(run, _each(on_change), writes=write).figures()


def connect(config: str | Path | None = None) -> Pagemill:
    """Opens the queue and the results, for a `with` block.

    Args:
        config: the configuration folder; by default `PAGEMILL_CONFIG`, or `config` in the current folder.

    Raises:
        UsageError: `config` is not a path.
        ConfigError: the configuration has mistakes; the message lists all of them.
    """
    if config is not None:
        config = arguments.text("config", str(config) if isinstance(config, Path) else config)
    return Pagemill(load_config(None if config is None else Path(config), os.environ))


def _each(on_change: Callable[[Mapping[str, object]], object]) -> Callable[[RowReport], None]:
    def tell(told: RowReport) -> None:
        for record in told.records():
            on_change(record)

    return tell


def _rows(products: object) -> Iterator[Mapping[str, object]]:
    """The rows of the `products` argument."""
    if isinstance(products, bytes | Mapping) or not isinstance(products, Iterable):
        told = arguments.shown_value(products)
        raise UsageError(f"products is {told}: write a list or a generator of rows, or the path of a catalogue")
    return (_row(number, product) for number, product in enumerate(products, 1))


def _row(number: int, product: object) -> Mapping[str, object]:
    if isinstance(product, Product):
        if not isinstance(product.expected, Mapping):
            told = arguments.shown_value(product.expected)
            raise UsageError(f"row {number}: what is expected is {told}: write a mapping of fields to values")
        return {**product.expected, "id": product.id, "url": product.url}
    if not isinstance(product, Mapping):
        raise UsageError(f"row {number} is {arguments.shown_value(product)}: {_ROW_REMEDY}")
    return product
