"""Logs slow SQL statements. The time includes waits for the database's locks."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("database")

_SHOWN = 300
_BEGUN = "pagemill_begun_s"


def tell_slow_statements(engine: Engine, slow_ms: float) -> None:
    """Logs each statement that takes longer than `slow_ms` from now on, whether it succeeds or fails; 0 logs none.

    Values are never logged, because they are passed beside the statement.
    """
    if not slow_ms:
        return

    def begin(connection: Any, *_rest: object) -> None:
        connection.info[_BEGUN] = time.monotonic()

    def end(connection: Any, statement: str | None) -> None:
        begun_s = connection.info.pop(_BEGUN, None)
        if begun_s is None:
            return
        took_ms = 1000 * (time.monotonic() - begun_s)
        if took_ms >= slow_ms:
            log.warning(
                events.SLOW_STATEMENT, ms=round(took_ms, 1), statement=" ".join((statement or "").split())[:_SHOWN]
            )

    def succeed(connection: Any, _cursor: object, statement: str, *_rest: object) -> None:
        end(connection, statement)

    def fail(context: ExceptionContext) -> None:
        if context.connection is not None:
            end(context.connection, context.statement)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", succeed)
    event.listen(engine, "handle_error", fail)
