"""Begins runs that somebody asks the control API for: each on a thread of its own, few at a time, once per request key.

Whoever asks waits until the run is on the queue, or is told after a while that it goes on. Owns the threads, and what a
request comes to that is sent again. Must not know HTTP.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from pagemill.errors import EnqueuedElsewhere, KeyTaken, PagemillError, ServiceUnavailable, TooManyAtOnce, UsageError
from pagemill.intake.begin_run import Beginner
from pagemill.intake.enqueue import new_run_id
from pagemill.intake.platforms import Platforms, name_of
from pagemill.intake.rows import BadRow
from pagemill.model import Priority, Product
from pagemill.results.request_keys import Claim, RequestKeys
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

MOST_AT_ONCE = 2
WAIT_S = 20.0
SHOWN_BAD_ROWS = 20

ReadProducts = Callable[[Callable[[BadRow], None]], Iterator[Product]]
"""Streams products from their beginning, each time that it is called, and calls back for each bad row."""


class _BrokenOff(ServiceUnavailable):
    """The process ends; a request with the same key goes on with the run."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run that somebody wants."""

    platform: Platforms
    products: ReadProducts
    source: str
    """What the list of runs says of where they come from."""
    unit: str = "line"
    """What the number of a bad row counts."""
    limit: int | None = None
    batch_size: int | None = None
    priority: Priority = Priority.NORMAL
    strict: bool = False
    """Nothing is queued where a single row is bad."""
    key: str = ""
    """Of the request: sent again with the same one, it begins no second run. Empty for one that cannot be."""
    digest: str = ""
    """Of all that was asked for; needed with a key."""


@dataclass(frozen=True, slots=True)
class BegunRun:
    """What came of a request."""

    run: str
    is_new: bool
    """Whether this request has begun it, or one before with the same key."""
    is_queued: bool
    """Whether all of it is on the queue by now; it goes on being put there otherwise."""
    bad_rows: tuple[BadRow, ...] = ()
    """The first ones."""
    bad_rows_in_all: int = 0


@dataclass(slots=True)
class _Beginning:
    """One run that is being put on the queue."""

    run: str
    ended: threading.Event = field(default_factory=threading.Event)
    error: PagemillError | None = None
    bad_rows: list[BadRow] = field(default_factory=list)
    count: int = 0
    skipped: int = 0

    def note(self, row: BadRow) -> None:
        self.count += 1
        self.skipped += row.row_skipped
        if len(self.bad_rows) < SHOWN_BAD_ROWS:
            self.bad_rows.append(row)

    def told(self, unit: str) -> str:
        """The bad rows as a sentence."""
        said = [f"{unit} {row.line}: {row.reason}" if row.line else row.reason for row in self.bad_rows]
        rest = self.count - len(said)
        return "; ".join(said) + (f"; and {rest} more" if rest else "")


class RunRequests:
    """Those of one process. May be used from several threads."""

    def __init__(
        self,
        beginner: Beginner,
        store: ResultStore,
        *,
        most_at_once: int = MOST_AT_ONCE,
        wait_s: float = WAIT_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Args:
            beginner: puts them on the queue.
            store: open; the same that `beginner` has.
            most_at_once: how many are put on the queue at one time.
            wait_s: how long whoever asks waits for that.
            now: the time of day, with its zone.
        """
        self._beginner = beginner
        self._store = store
        self._keys = RequestKeys(store)
        self._places = threading.BoundedSemaphore(most_at_once)
        self._wait_s = wait_s
        self._now = now
        self._lock = threading.Lock()
        self._under_way: dict[str, _Beginning] = {}
        self._closing = threading.Event()

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the few places; to be had before anything is read of what is asked for.

        Raises:
            TooManyAtOnce: none is free.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            yield
        finally:
            self._places.release()

    def begin(self, wanted: RunRequest, held: ExitStack) -> BegunRun:
        """Begins a run, or goes on with the one that the request's key stands for where that broke off.

        Args:
            wanted: the run.
            held: what is needed until the last product is read, `place` among it; closed then, in any case.

        Raises:
            UsageError: no product can be checked, a row is bad where none may be; nothing was begun.
            KeyTaken: the key stands for another request.
            ServiceUnavailable: Redis or the database is away, or full. The same request goes on.
        """
        with held:
            mine = new_run_id(name_of(wanted.platform), self._now(), secrets.token_hex(2))
            run = self._run_of(wanted, mine)
            with self._lock:
                beginning = self._under_way.get(run)
                if beginning is None:
                    if run != mine and self._is_over(run):
                        return BegunRun(run, is_new=False, is_queued=True)
                    beginning = self._start(run, wanted, held.pop_all())
        if not beginning.ended.wait(self._wait_s):
            return self._begun(beginning, is_new=run == mine, is_queued=False)
        if isinstance(beginning.error, EnqueuedElsewhere):
            return BegunRun(run, is_new=False, is_queued=False)
        if beginning.error is not None:
            raise beginning.error
        return self._begun(beginning, is_new=run == mine, is_queued=True)

    @property
    def closing(self) -> bool:
        """Whether no product is taken any more."""
        return self._closing.is_set()

    def close(self, timeout_s: float) -> None:
        """Breaks off what is under way, at its next product, and waits for that."""
        self._closing.set()
        with self._lock:
            beginnings = list(self._under_way.values())
        for beginning in beginnings:
            beginning.ended.wait(timeout_s)

    def _run_of(self, wanted: RunRequest, mine: str) -> str:
        if not wanted.key:
            return mine
        claim = self._keys.claim(wanted.key, Claim(mine, wanted.digest), self._now())
        if claim.digest != wanted.digest:
            raise KeyTaken(f"this Idempotency-Key stands for another request, of run {claim.run}: use a new one")
        return claim.run

    def _is_over(self, run: str) -> bool:
        """Whether nothing of it is left to be put on the queue."""
        try:
            progress = self._store.progress(run)
        except UsageError:
            return False
        return progress.sealed or progress.cancelled

    def _start(self, run: str, wanted: RunRequest, held: ExitStack) -> _Beginning:
        beginning = _Beginning(run)
        self._under_way[run] = beginning
        threading.Thread(target=self._work, args=(beginning, wanted, held), name="begin-run", daemon=True).start()
        return beginning

    def _work(self, beginning: _Beginning, wanted: RunRequest, held: ExitStack) -> None:
        try:
            with held:
                self._put(beginning, wanted)
        except PagemillError as error:
            beginning.error = error
            self._let_go(beginning, wanted)
        except Exception as error:
            log.exception(events.UNEXPECTED, where="putting a run on the queue", error=type(error).__name__)
            beginning.error = PagemillError("something went wrong here: the API's log says what")
        finally:
            with self._lock:
                del self._under_way[beginning.run]
            beginning.ended.set()

    def _put(self, beginning: _Beginning, wanted: RunRequest) -> None:
        if wanted.strict:
            with closing(self._watched(wanted.products(beginning.note))) as every:
                for _product in every:
                    pass
            if beginning.count:
                told = beginning.told(wanted.unit)
                raise UsageError(f"nothing was queued: {told}. Correct these rows, or leave strict out")
        start = self._beginner.reached(beginning.run)
        products = self._watched(islice(wanted.products(beginning.note), wanted.limit))
        if start.batches:
            products = self._beginner.rest(products, beginning.run, self._watched)
        try:
            # Closed here: the streams hold what only this thread may let go of.
            with closing(products):
                self._beginner.begin(
                    products,
                    wanted.platform,
                    source=wanted.source,
                    batch_size=wanted.batch_size,
                    priority=wanted.priority,
                    skipped=lambda: beginning.skipped,
                    run=beginning.run,
                    start=start,
                )
        except UsageError as error:
            if beginning.count:
                raise UsageError(f"{error}: {beginning.told(wanted.unit)}") from error
            raise

    def _watched(self, products: Iterable[Product]) -> Generator[Product]:
        for product in products:
            if self._closing.is_set():
                raise _BrokenOff("the API ends: send the request again, with the same Idempotency-Key if it had one")
            yield product

    def _let_go(self, beginning: _Beginning, wanted: RunRequest) -> None:
        """Tells of a run that was begun and not brought to its end; the key of one that was not begun is free again."""
        with suppress(PagemillError):
            try:
                self._store.run(beginning.run)
            except UsageError:
                if wanted.key:
                    self._keys.release(wanted.key, beginning.run)
            else:
                if not isinstance(beginning.error, EnqueuedElsewhere):
                    log.error(events.RUN_BROKEN_OFF, run=beginning.run, error=str(beginning.error))

    @staticmethod
    def _begun(beginning: _Beginning, *, is_new: bool, is_queued: bool) -> BegunRun:
        return BegunRun(beginning.run, is_new, is_queued, tuple(beginning.bad_rows), beginning.count)
