"""What writes results into catalogues, and what takes that back."""

from __future__ import annotations

from pagemill.applying.applier import Applier
from pagemill.applying.undoer import Undoer
from pagemill.config.settings import Config
from pagemill.results.store import ResultStore


def applier(config: Config, store: ResultStore) -> Applier:
    """What writes the results of that store into catalogues."""
    slow_ms = config.settings.results.slow_statement_ms
    return Applier(config.platforms, config.environment, store, slow_statement_ms=slow_ms)


def undoer(config: Config) -> Undoer:
    """What takes that back."""
    slow_ms = config.settings.results.slow_statement_ms
    return Undoer(config.platforms, config.environment, slow_statement_ms=slow_ms)
