"""Builds the `Applier` and the `Undoer` from the configuration."""

from __future__ import annotations

from pagemill.applying.applier import Applier
from pagemill.applying.undoer import Undoer
from pagemill.config.settings import Config
from pagemill.results.store import ResultStore


def applier(config: Config, store: ResultStore) -> Applier:
    """Writes the results of that store into catalogues."""
    slow_ms = config.settings.results.slow_statement_ms
    return Applier(config.platforms, config.environment, store, slow_statement_ms=slow_ms)


def undoer(config: Config) -> Undoer:
    """Undoes what an `Applier` has written."""
    slow_ms = config.settings.results.slow_statement_ms
    return Undoer(config.platforms, config.environment, slow_statement_ms=slow_ms)
