"""Begins runs for clients of the control API: each on its own thread, few at a time, and once per request key.

A client waits until the run is on the queue; after a while it is answered that the work goes on. Owns the threads, and
the handling of a request that is sent again. Must not know HTTP.
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
"""Streams the products, from the beginning at each call, and calls back for each bad row."""


class _BrokenOff(ServiceUnavailable):
    """The process ends; a request with the same key continues the run."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run that a client asks for."""

    platform: Platforms
    products: ReadProducts
    source: str
    """Shown in the list of runs as the origin of the products."""
    unit: str = "line"
    """The noun for the number of a bad row."""
    limit: int | None = None
    batch_size: int | None = None
    priority: Priority = Priority.NORMAL
    strict: bool = False
    """Whether nothing is queued if any row is bad."""
    key: str = ""
    """The request's idempotency key: a second request with it begins no second run. Empty for requests without one."""
    digest: str = ""
    """A hash of the request's content; needed with a key."""


@dataclass(frozen=True, slots=True)
class BegunRun:
    """The outcome of a request."""

    run: str
    is_new: bool
    """Whether this request began the run; if not, an earlier one with the same key did."""
    is_queued: bool
    """Whether the whole run is on the queue; if not, that is still going on."""
    bad_rows: tuple[BadRow, ...] = ()
    """The first bad rows."""
    bad_rows_in_all: int = 0


@dataclass(slots=True)
class _Beginning:
    """One run while it is put on the queue."""

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
        """The bad rows in one sentence."""
        said = [f"{unit} {row.line}: {row.reason}" if row.line else row.reason for row in self.bad_rows]
        rest = self.count - len(said)
        return "; ".join(said) + (f"; and {rest} more" if rest else "")


class RunRequests:
    """The run requests of one process. May be used from several threads."""

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
            beginner: puts the runs on the queue.
            store: open; the same one as `beginner` has.
            most_at_once: how many runs may be put on the queue at the same time.
            wait_s: how long a client waits until its run is on the queue.
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
        """Holds one of the few slots for a run. Needed before anything of the request's body is read.

        Raises:
            TooManyAtOnce: no slot is free.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            yield
        finally:
            self._places.release()

    def begin(self, wanted: RunRequest, held: ExitStack) -> BegunRun:
        """Begins a run, or continues the broken-off run of the same request key.

        Args:
            wanted: the run.
            held: what is needed until the last product is read, such as `place`. It is always closed afterwards.

        Raises:
            UsageError: there is no valid product, or with `strict` a bad row; nothing was begun.
            KeyTaken: the key belongs to another request.
            ServiceUnavailable: Redis or the database is away or full. The same request, sent again, continues.
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
        """Whether this object is closing and accepts no further product."""
        return self._closing.is_set()

    def close(self, timeout_s: float) -> None:
        """Interrupts the running work at its next product, and waits up to `timeout_s` for that."""
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
        """Whether the run is complete on the queue, or cancelled."""
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
            # Closed on this thread, because the streams hold resources that belong to it.
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
        """Logs a run that broke off; releases the key of a run that was never begun."""
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
