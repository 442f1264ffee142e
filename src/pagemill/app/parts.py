"""Parts that several commands need: the selected platforms, the memory budget, and the stores."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

from redis import Redis

from pagemill.broker.connection import open_redis
from pagemill.browser.machine import shm_total_mb
from pagemill.config.platform import AUTO, Platform
from pagemill.config.settings import Config
from pagemill.errors import UsageError
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.guard.budget import Budget, budget_of, resolved
from pagemill.guard.probe import memory_limit_mb
from pagemill.intake.platforms import Platforms, meant
from pagemill.results.store import ResultStore
from pagemill.results.watched_changes import watching

DATA_FOLDER = Path("data")
_BRISK_S = 2.0


def process_name() -> str:
    """A name for this process that is unique in the fleet."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:4]}"


def chosen_platforms(config: Config, names: Sequence[str], processes: int = 1) -> dict[str, Platform]:
    """The named platforms, or all of them, with every `auto` resolved for this machine.

    Raises:
        UsageError: a name is not configured, or no platform is.
    """
    unknown = sorted(set(names) - config.platforms.keys())
    if unknown:
        known = ", ".join(sorted(config.platforms)) or "none"
        raise UsageError(f"no platform {', '.join(unknown)}: configured are {known}")
    if not config.platforms:
        raise UsageError(f"no platform is configured: add {config.environment.config_folder}/platforms/NAME.yaml")
    budget = machine_budget(config, processes)
    return {name: resolved(config.platforms[name], budget) for name in names or sorted(config.platforms)}


def platforms_meant(config: Config, name: str) -> Platforms:
    """The platform of that name, or all platforms for `auto`; resolved as by `chosen_platforms`.

    Raises:
        UsageError: it is not configured, or no platform is.
    """
    return meant(chosen_platforms(config, [] if name == AUTO else [name]), name)


def platforms_of_run(config: Config, store: ResultStore, run: str) -> Platforms:
    """The platforms whose products are in that run.

    Raises:
        UsageError: there is no such run, or one of them is not configured any more.
    """
    return meant(chosen_platforms(config, store.platforms_of(run)), store.platform_of(run))


def machine_budget(config: Config, processes: int = 1) -> Budget:
    """What one worker process may use of this machine, if `processes` of them run on it."""
    settings = config.settings
    dev_shm = settings.browser.dev_shm
    return budget_of(memory_limit_mb(), settings.guard.memory_limit_mb, shm_total_mb(), dev_shm, processes)


def result_store(config: Config) -> ResultStore:
    """The results database, not opened yet."""
    return ResultStore(
        config.environment.database_url,
        slow_statement_ms=config.settings.results.slow_statement_ms,
        is_watched=watching(config.platforms),
    )


def brisk_redis(config: Config) -> AbstractContextManager[Redis]:
    """A client of the queue's Redis that fails within seconds, for callers that must not wait for Redis. See
    `open_redis`."""
    return open_redis(config.environment.redis_url, DATA_FOLDER, patience_s=_BRISK_S)


def artifact_store(config: Config) -> ArtifactStore:
    """The screenshots and HTML that this machine keeps from failures."""
    settings = config.settings.artifacts
    return ArtifactStore(settings.folder, settings.max_files, settings.max_mb * 1024 * 1024, settings.enabled)
