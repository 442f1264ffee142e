"""Enqueues by `config/schedule.yaml`: several may run, one leads, and each due time fires once whatever crashes.

RQ's own cron fires in each process that runs it, forgets with the process what has fired, and knows UTC only; its
expressions are read by the same croniter here. What was fired is noted in Redis before anything is enqueued, and a run
whose scheduler died goes on with the rest of its products.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import redis

from pagemill.broker.leadership import Leadership
from pagemill.config.platform import Platform
from pagemill.config.schedule import ScheduleEntry
from pagemill.config.settings import Config
from pagemill.errors import ConfigError, LeadLost, PagemillError, ServiceUnavailable, UsageError
from pagemill.intake.begin_run import Beginner
from pagemill.intake.enqueue import new_run_id
from pagemill.intake.platforms import meant
from pagemill.intake.rows import BadRow
from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome, decide_firing, latest_due, rule_of
from pagemill.intake.schedule_firing_log import LEADER_KEY, FiringLog
from pagemill.model import FactValue, Product
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.runs import RunProgress, Telling
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("scheduler")

_TICK_S = 1.0
_RENEW_S = 1.0
_LOGGED_BAD_ROWS = 5


class _Stopped(PagemillError):
    """The scheduler is to stop; the run that is being enqueued goes on later."""


class Scheduler:
    """One of the schedulers."""

    def __init__(
        self,
        client: redis.Redis,
        store: ResultStore,
        load: Callable[[], Config],
        name: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            client: patient: a firing that was noted must be enqueued, be it after a minute.
            store: open.
            load: reads the configuration afresh.
            name: unique in the fleet.
            now: aware of its time zone.
            on_progress: called at every look, and for every batch.
        """
        self._client = client
        self._store = store
        self._load = load
        self._now = now
        self._on_progress = on_progress
        self._log = FiringLog(client)
        self._noted: dict[str, EntryFiring] = {}
        """What this one has noted last of each entry, for when Redis was emptied."""
        self._lead = Leadership(client, LEADER_KEY, name)
        self._leads = False
        self._config = load()
        self._seen = _fingerprint(self._config.environment.config_folder)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Makes `run` return soon; safe in a signal handler."""
        self._stop.set()

    @property
    def leads(self) -> bool:
        """Whether this is the one that fires, as far as it knows; from any thread."""
        return self._leads

    @property
    def platforms(self) -> Mapping[str, Platform]:
        """Those that are configured, as far as it has read by now; from any thread."""
        return self._config.platforms

    def run(self) -> None:
        """Fires what is due, about every second, until it is stopped. Services that are away are waited for."""
        try:
            while not self._stop.is_set():
                self._on_progress()
                try:
                    self.tick()
                except _Stopped:
                    break
                except LeadLost:
                    self._leads = False
                except (redis.RedisError, ServiceUnavailable) as error:
                    log.warning(events.SCHEDULER_WAITS, error=str(error))
                self._stop.wait(_TICK_S)
        finally:
            if self._leads:
                self._leads = False
                with suppress(redis.RedisError):  # it runs out by itself
                    self._lead.release()

    def tick(self) -> None:
        """One look at everything, by the one that leads.

        Raises:
            LeadLost: another one leads since a moment ago.
            redis.RedisError, ServiceUnavailable: a service is away; the next look goes on where this one was.
        """
        leads = self._lead.hold()
        if leads and not self._leads:
            log.info(events.SCHEDULER_LEADS, scheduler=self._lead.name, entries=sorted(self._config.schedule.entries))
        self._leads = leads
        if not leads:
            return
        self._reload()
        for name, entry in self._config.schedule.entries.items():
            if entry.enabled:
                self._look(name, entry)

    def _reload(self) -> None:
        folder = self._config.environment.config_folder
        seen = _fingerprint(folder)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._config = self._load()
        except ConfigError as error:
            log.error(events.SCHEDULE_REJECTED, error=str(error), remedy="the schedule of before stays in force")
        else:
            log.info(events.SCHEDULE_RELOADED, entries=sorted(self._config.schedule.entries))

    def _look(self, name: str, entry: ScheduleEntry) -> None:
        last = self._log.last(name) or self._noted.get(name) or self._begun(name, entry)
        firing = decide_firing(entry, last, self._now(), going=last is not None and self._is_going(last))
        if firing is None:
            return
        if firing.outcome is FiringOutcome.QUEUEING:
            self._fire(name, entry, firing, resumes=last == firing)
            return
        self._note(name, firing)
        if firing.outcome in (FiringOutcome.SKIPPED, FiringOutcome.MISSED, FiringOutcome.WAITING):
            log.warning(
                events.SCHEDULE_SKIPPED,
                entry=name,
                due=firing.due.isoformat(),
                outcome=firing.outcome.value,
                run=firing.run,
            )

    def _begun(self, name: str, entry: ScheduleEntry) -> EntryFiring | None:
        """The firing whose run was begun and is not whole, where Redis has forgotten it with all else."""
        due = latest_due(entry, self._now())
        run = _run_of(name, entry, due)
        progress = self._progress(run)
        if progress is None or progress.sealed or progress.cancelled:
            return None
        return EntryFiring(due, FiringOutcome.QUEUEING, run, rule=rule_of(entry))

    def _is_going(self, last: EntryFiring) -> bool:
        """Whether the entry's last run has products without a result and batches that could bring them one."""
        progress = self._progress(last.run)
        if progress is None or progress.finished:
            return False
        return AskedBatches(self._store).is_any_left(last.run)

    def _fire(self, name: str, entry: ScheduleEntry, firing: EntryFiring, *, resumes: bool) -> None:
        if not resumes:
            firing = replace(firing, run=_run_of(name, entry, firing.due))
            self._note(name, firing)
        log.info(events.SCHEDULE_FIRED, entry=name, due=firing.due.isoformat(), run=firing.run, resumes=resumes)
        try:
            products = self._enqueue(name, entry, firing.run)
        except (LeadLost, _Stopped, ServiceUnavailable):
            raise
        except PagemillError as error:
            log.error(events.SCHEDULE_FAILED, entry=name, run=firing.run, error=str(error))
            self._note(name, replace(firing, outcome=FiringOutcome.FAILED, detail=str(error)))
        else:
            self._note(name, replace(firing, outcome=FiringOutcome.QUEUED, detail=f"{products} products"))

    def _enqueue(self, name: str, entry: ScheduleEntry, run: str) -> int:
        """Puts the run on the queue, or the rest of it; how many products it has."""
        platform = meant(self._config.platforms, entry.platform)
        beginner = Beginner(self._config, self._client, self._store)
        start = beginner.reached(run)
        progress = self._progress(run)
        if progress is not None and (progress.sealed or progress.cancelled):
            return progress.products or 0
        bad_rows = _BadRows(run)
        rows = beginner.catalogue(entry.catalog, platform, bad_rows, encoding=entry.encoding, decimal=entry.decimal)
        products = _filtered(self._watched(rows), entry.filter)
        if start.batches:
            products = beginner.rest(products, run, self._watched)
        with closing(products):
            enqueued = beginner.begin(
                products,
                platform,
                source=entry.catalog,
                batch_size=entry.batch_size,
                priority=entry.priority,
                on_batch=lambda _products: self._keep_on(),
                skipped=lambda: bad_rows.skipped,
                run=run,
                start=start,
                telling=Telling(name, entry.time_zone, entry.notify.said),
            )
        return enqueued.products

    def _watched(self, rows: Iterable[Product]) -> Generator[Product]:
        """The same rows. Many may pass without a batch: those that the filter leaves out, and those before the place at
        which a run goes on."""
        kept_s = time.monotonic()
        for row in rows:
            if self._stop.is_set() or time.monotonic() - kept_s >= _RENEW_S:
                self._keep_on()
                kept_s = time.monotonic()
            yield row

    def _keep_on(self) -> None:
        if self._stop.is_set():
            raise _Stopped("the scheduler stops")
        self._lead.renew()
        self._on_progress()

    def _progress(self, run: str) -> RunProgress | None:
        """`None` for a run that was never begun."""
        try:
            return self._store.progress(run)
        except UsageError:
            return None

    def _note(self, name: str, firing: EntryFiring) -> None:
        if not self._log.note(name, firing, self._lead.name):
            raise LeadLost
        self._noted[name] = firing


class _BadRows:
    """Counts the rows that were skipped, and logs the first few."""

    def __init__(self, run: str) -> None:
        self._run = run
        self.skipped = 0
        self._logged = 0

    def __call__(self, row: BadRow) -> None:
        self.skipped += row.row_skipped
        if self._logged < _LOGGED_BAD_ROWS:
            self._logged += 1
            log.warning(events.BAD_ROW, run=self._run, row=row.line, reason=row.reason)


def _run_of(name: str, entry: ScheduleEntry, due: datetime) -> str:
    """The run that an entry's due time has, whoever fires it."""
    return new_run_id(entry.platform, due, hashlib.sha256(name.encode()).hexdigest()[:4])


def _filtered(
    products: Iterable[Product], wanted: Mapping[str, FactValue | tuple[FactValue, ...]]
) -> Generator[Product]:
    for product in products:
        if all(_fits(product.expected.get(name), value) for name, value in wanted.items()):
            yield product


def _fits(value: FactValue, wanted: FactValue | tuple[FactValue, ...]) -> bool:
    return value in wanted if isinstance(wanted, tuple) else value == wanted


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file of the configuration does."""
    found = []
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*/*.yaml"))):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
