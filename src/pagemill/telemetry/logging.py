"""Sets structlog up: JSON lines in a container, readable lines on a terminal, one line per event.

Lines go to standard error, so that a command's own output stays clean, and to files if a folder is configured. Lines of
other libraries, which use the standard `logging` module, go the same way. Handlers are closed when others replace them
and when the process ends. Streams are not closed, because they belong to those who opened them.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from pagemill import visible
from pagemill.telemetry.event_buffer import EVENT_BUFFER
from pagemill.telemetry.log_files import LogFiles

_LONG = ("exception", "stack")
"""Fields that are written on further lines below the log line."""


def set_up_logging(
    log_format: str = "auto", level: str = "INFO", stream: TextIO | None = None, folder: Path | None = None
) -> None:
    """Configures structlog and the standard `logging` module for this process; may be called again.

    Args:
        log_format: `json`, `console`, or `auto` for `console` on a terminal and `json` elsewhere.
        level: the lowest level that is written.
        stream: where the lines go; standard error by default.
        folder: where they go as well, as readable lines: see `log_files`.
    """
    out = stream if stream is not None else sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not out.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderers = _json() if as_json else _readable(out.isatty())
    handlers: list[tuple[logging.Handler, list[Any]]] = [(logging.StreamHandler(out), renderers)]
    if folder is not None:
        handlers.append((LogFiles(folder), [_add_process, *_readable(colors=False)]))
    root = logging.getLogger()
    close_logging()
    for handler, renderers in handlers:
        processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers]
        handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=processors))
        root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("rq", "rq.worker", "rq.job", "asyncio", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, EVENT_BUFFER, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    # Unregistered first, so that it is registered once after any number of calls.
    atexit.unregister(_end_logging)
    atexit.register(_end_logging)


def _json() -> list[Any]:
    return [structlog.processors.JSONRenderer(ensure_ascii=False), lambda _logger, _method, line: visible.in_file(line)]


def _readable(colors: bool) -> list[Any]:
    """Readable lines for people and grep; levels are in capitals, as in other logs."""
    usual = structlog.dev.ConsoleRenderer.get_default_level_styles(colors)
    styles = {name.upper(): style for name, style in usual.items()}
    return [_shout_level, _calm, structlog.dev.ConsoleRenderer(colors=colors, level_styles=styles)]


def _shout_level(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "level" in line:
        line["level"] = str(line["level"]).upper()
    return line


def _calm(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Makes text safe: text from a page must neither control the terminal nor begin a line that looks like ours. Other
    values are safe, because they are shown by `repr`."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = (visible.lines if name in _LONG else visible.one_line)(value)
    return line


def _add_process(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Adds the process id, because several processes share the files."""
    return {**line, "process": os.getpid()}


def _end_logging() -> None:
    """Called when the process ends. Later messages, for example about tasks that nobody awaited, are dropped; without
    any handler, `logging` would print them unformatted."""
    close_logging()
    logging.getLogger().addHandler(logging.NullHandler())


def close_logging() -> None:
    """Flushes, removes and closes every handler of the root logger; also called when the process ends."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        with contextlib.suppress(OSError, ValueError):  # its stream is closed, or its reader is gone
            handler.flush()
        root.removeHandler(handler)
        with contextlib.suppress(OSError, ValueError):
            handler.close()


def get_logger(component: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines name the component that wrote them."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(component=component)
    return logger
