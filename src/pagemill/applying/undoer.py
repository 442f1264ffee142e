"""Undoes what was applied of a run: restores each row's former cells, if the row still has what apply wrote.

Uses only the audit, newest application first. So the run may be pruned, and its platform's fields may have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from pagemill.applying.audit import Application, Audit, AuditEntry
from pagemill.applying.database import catalogue_engine, translated_for_catalogue
from pagemill.applying.raw_table import RawCell, RawTable, is_same
from pagemill.applying.row_change import change_row
from pagemill.applying.row_report import Cell, RowCounts, RowOutcome, RowReport
from pagemill.config.catalog import CatalogTable
from pagemill.config.platform import Platform
from pagemill.config.settings import Environment
from pagemill.errors import UsageError
from pagemill.intake.catalog_columns import reflected
from pagemill.model import FactValue
from pagemill.results.database import transaction
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("applying")

CHUNK = 100
"""Rows in one transaction."""


class Undoer:
    """Undoes applied runs in the catalogues of some platforms. May be used from several threads."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        environment: Environment,
        *,
        slow_statement_ms: float = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Args:
            platforms: the configured platforms; their tables say where the audits are.
            environment: says where the catalogue is, and whether it may be written.
            slow_statement_ms: slower statements are logged; 0 logs none.
            now: the time of day, with its zone.
        """
        self._tables = sorted({p.catalog.table for p in platforms.values() if p.catalog.table is not None})
        self._environment = environment
        self._slow_statement_ms = slow_statement_ms
        self._now = now

    def undo(
        self, run: str, tell: Callable[[RowReport], object] = lambda _told: None, *, writes: bool = False
    ) -> RowCounts:
        """Undoes what was applied of a run, or reports what would be undone.

        Args:
            run: its id; the run may have been pruned.
            tell: called for each row, after its transaction.
            writes: if false, nothing is changed.

        Raises:
            UsageError: nothing of that run is applied now, or nothing may be written.
            DatabaseUnavailable: the database is out of reach. What was reported is undone.
        """
        tally, applications = RowCounts(), 0
        with catalogue_engine(self._environment, self._slow_statement_ms, writes=writes) as engine:
            for audit in self._audits(engine):
                with translated_for_catalogue(engine, audit.name), transaction(engine, writes=False) as connection:
                    found = audit.applications(connection, run)
                for application in found:
                    applications += 1
                    work = _Undoing(engine, audit, run, application, self._now(), writes=writes)
                    for told in work.told():
                        tally.add(told)
                        tell(told)
        if not applications:
            raise UsageError(f"nothing of run {run} is applied: there is nothing to undo")
        if writes:
            log.info(events.UNDONE, run=run, **tally.figures())
        return tally

    def _audits(self, engine: Engine) -> Iterator[Audit]:
        """The audits that exist, each once."""
        audits = {audit.name: audit for audit in (Audit(engine, table) for table in self._tables)}
        for audit in audits.values():
            with translated_for_catalogue(engine, audit.name):
                exists = audit.exists()
            if exists:
                yield audit


class _Undoing:
    """Undoes one application, some rows at a time."""

    def __init__(
        self, engine: Engine, audit: Audit, run: str, application: Application, now: datetime, *, writes: bool
    ) -> None:
        self._engine = engine
        self._audit = audit
        self._run = run
        self._application = application
        self._now = now
        self._writes = writes
        with translated_for_catalogue(engine, application.table):
            self._table = reflected(engine, CatalogTable(table=application.table))

    def told(self) -> Iterator[RowReport]:
        after = ""
        while True:
            with (
                translated_for_catalogue(self._engine, self._application.table),
                transaction(self._engine, writes=self._writes) as connection,
            ):
                entries = self._audit.entries(connection, self._run, self._application, CHUNK, after)
                told = self._undo(connection, entries) if entries else []
            yield from told
            if len(entries) < CHUNK:
                return
            after = entries[-1].key

    def _undo(self, connection: Connection, entries: list[AuditEntry]) -> list[RowReport]:
        named = sorted({name for entry in entries for name in (*entry.after, *entry.key_columns())})
        if missing := [name for name in named if name not in self._table.columns]:
            raise UsageError(
                f"table {self._application.table} has no column {missing[0]} any more: bring it back, "
                f"or correct the rows by hand with what {self._audit.name} has"
            )
        table = RawTable(self._table, self._engine.dialect, entries[0].key_columns())
        keys = [entry.key for entry in entries]
        rows = table.read(connection, keys, named, locks=self._writes)
        absent = [key for key in keys if key not in rows]
        busy = table.read(connection, absent, (), locks=False) if absent and self._writes else {}
        told: list[RowReport] = []
        undone: list[str] = []
        for entry in entries:
            outcome, reason = self._undo_one(connection, table, entry, rows, busy)
            if outcome in (RowOutcome.WRITTEN, RowOutcome.ALREADY):
                undone.append(entry.key)
            told.append(self._told(entry, outcome, reason))
        if undone and self._writes:
            self._audit.note_undone(connection, self._run, self._application, undone, self._now)
        return told

    def _undo_one(
        self,
        connection: Connection,
        table: RawTable,
        entry: AuditEntry,
        rows: Mapping[str, Mapping[str, RawCell]],
        busy: Iterable[str],
    ) -> tuple[RowOutcome, str]:
        row = rows.get(entry.key)
        if row is None:
            if entry.key in busy:
                return RowOutcome.BUSY, "somebody else is changing the row: undo again"
            return RowOutcome.MISSING, "the row is not in the table any more"
        if all(is_same(row[name], value) for name, value in entry.before.items()):
            return RowOutcome.ALREADY, ""
        for name, value in entry.after.items():
            if not is_same(row[name], value):
                return RowOutcome.OTHERWISE, f"{name} says {row[name]!r}, apply wrote {value!r}"
        if not self._writes:
            return RowOutcome.WRITTEN, ""
        before = entry.before
        return change_row(
            connection,
            table,
            entry.key,
            entry.after,
            before,
            is_right=lambda name, value: is_same(value, before[name]),
            note=lambda _now: None,
        )

    def _told(self, entry: AuditEntry, outcome: RowOutcome, reason: str) -> RowReport:
        cells = tuple(Cell("", name, _shown(entry.after[name]), _shown(entry.before[name])) for name in entry.after)
        return RowReport(self._run, self._application.platform, entry.product_id, outcome, cells, reason)


def _shown(value: RawCell) -> FactValue:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
