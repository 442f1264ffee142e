"""Parts that several commands are built of: the platforms that are meant, the machine's budget, a pool, the loop."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from redis import Redis

from pagemill.applying.applier import Applier
from pagemill.applying.undoer import Undoer
from pagemill.broker.connection import open_redis
from pagemill.browser.cdp.launcher import CdpLauncher
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine, find_chromium, shm_total_mb
from pagemill.browser.opener import Opener
from pagemill.browser.playwright_launcher import PlaywrightLauncher
from pagemill.browser.pool import BrowserPool
from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import AUTO, Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import Config
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.engine.loop_thread import LoopThread
from pagemill.errors import DeadlineExceeded, UsageError
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.guard.budget import Budget, budget_of, resolved, wanted_places
from pagemill.guard.container import cores
from pagemill.guard.probe import memory_limit_mb, private_mb_by_process
from pagemill.intake.platforms import Platforms, meant
from pagemill.results.store import ResultStore
from pagemill.results.watched import watching

DATA_FOLDER = Path("data")
_BRISK_S = 2.0
_OPEN_S = 180.0
_CLOSE_S = 60.0


def process_name() -> str:
    """A name for this process that no other in the fleet has."""
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
    """The platform of that name, as `chosen_platforms` has it; all of them by name for `auto`.

    Raises:
        UsageError: it is not configured, or no platform is.
    """
    return meant(chosen_platforms(config, [] if name == AUTO else [name]), name)


def platforms_of_run(config: Config, store: ResultStore, run: str) -> Platforms:
    """The platforms that products of that run are of.

    Raises:
        UsageError: there is no such run, or one of them is not configured any more.
    """
    return meant(chosen_platforms(config, store.platforms_of(run)), store.platform_of(run))


def machine_budget(config: Config, processes: int = 1) -> Budget:
    """What one worker process may plan with on this machine, when so many of them run on it."""
    settings = config.settings
    dev_shm = settings.browser.dev_shm
    return budget_of(memory_limit_mb(), settings.guard.memory_limit_mb, shm_total_mb(), dev_shm, processes)


def places(config: Config, platforms: Mapping[str, Platform], processes: int = 1) -> int:
    """How many visits may be at work at once in one worker process that serves these resolved platforms."""
    lanes = [platform.workflow.concurrency.default for platform in platforms.values()]
    shm_mb = 0 if config.settings.browser.dev_shm is False else shm_total_mb() // processes
    wanted = wanted_places(config.settings.pool.places, lanes, max(1, cores() // processes), shm_mb)
    return machine_budget(config, processes).lanes(wanted)


def result_store(config: Config) -> ResultStore:
    """The results' database, to be opened."""
    return ResultStore(
        config.environment.database_url,
        slow_statement_ms=config.settings.results.slow_statement_ms,
        is_watched=watching(config.platforms),
    )


def applier(config: Config, store: ResultStore) -> Applier:
    """What writes the results of that store into catalogues."""
    slow_ms = config.settings.results.slow_statement_ms
    return Applier(config.platforms, config.environment, store, slow_statement_ms=slow_ms)


def undoer(config: Config) -> Undoer:
    """What takes that back."""
    slow_ms = config.settings.results.slow_statement_ms
    return Undoer(config.platforms, config.environment, slow_statement_ms=slow_ms)


def brisk_redis(config: Config) -> AbstractContextManager[Redis]:
    """A client of the queue's Redis that fails within seconds, for where something else must go on meanwhile; see
    `open_redis`."""
    return open_redis(config.environment.redis_url, DATA_FOLDER, patience_s=_BRISK_S)


def artifact_store(config: Config) -> ArtifactStore:
    """This machine's evidence of failures."""
    settings = config.settings.artifacts
    return ArtifactStore(settings.folder, settings.max_files, settings.max_mb * 1024 * 1024, settings.enabled)


@contextmanager
def build_pool(
    config: Config, platforms: dict[str, Platform], secrets: VisitorSecrets, loop: LoopThread, processes: int = 1
) -> Iterator[BrowserPool]:
    """An open pool for these platforms and what their visitors need, closed on leaving; `processes` share the machine.

    Raises:
        BrowserUnavailable: no Chromium is found, or it does not start.
    """
    size = places(config, platforms, processes)
    heap_mb = config.settings.guard.js_heap_limit_mb
    blocked = _blocked_by_all(platforms)
    hosts = [host for platform in platforms.values() for host in platform.hosts]
    options = launch_options(config.settings.browser, examine_machine(), size, blocked, heap_mb, hosts=hosts)
    visits_pages = any(platform.extract.visits_pages for platform in platforms.values())
    # Requests need no browser, so a machine that has none may make them.
    chromium = find_chromium(config.environment.chromium) if visits_pages else Path("chromium")
    launcher: Opener
    if _uses_driver(config, platforms):
        launcher = PlaywrightLauncher(chromium, options, config.settings.pool, blocked, secrets)
    else:
        launcher = CdpLauncher(chromium, options, config.settings.pool, blocked, secrets)
    pool = BrowserPool(
        launcher,
        config.settings.pool,
        size,
        measure=private_mb_by_process,
        page_max_mb=heap_mb,
        proxies=Proxies(secrets.proxies),
    )
    try:
        if visits_pages:
            loop.run(pool.open(), _OPEN_S, "open the pool")
        yield pool
    finally:
        if not loop.abandoned:
            loop.run(pool.close(), _CLOSE_S, "close the pool")


@contextmanager
def running_loop() -> Iterator[LoopThread]:
    """The engine's loop on its thread, ended on leaving."""
    loop = LoopThread()
    loop.start()
    try:
        yield loop
    finally:
        with contextlib.suppress(DeadlineExceeded):
            loop.stop(_CLOSE_S)


def _uses_driver(config: Config, platforms: dict[str, Platform]) -> bool:
    """Whether pages are Playwright's; without its driver they are faster and smaller.

    Raises:
        UsageError: no driver is wanted, but a platform's strategy needs one.
    """
    wanted = config.settings.browser.driver
    needing = {name: why for name, platform in sorted(platforms.items()) if (why := platform.needs_driver)}
    if needing and wanted == "none":
        remedy = "write browser.driver: auto, or serve these platforms by workers of their own (--platform)"
        said = ", ".join(f"{why} of {name}" for name, why in needing.items())
        raise UsageError(f"browser.driver: none does not go with the {said}: {remedy}")
    return wanted == "playwright" or bool(needing)


def _blocked_by_all(platforms: dict[str, Platform]) -> frozenset[ResourceKind]:
    """What every platform blocks can be blocked by launch flags; the firewall sees to the rest."""
    every = [set(platform.navigation.block) for platform in platforms.values()]
    return frozenset(set.intersection(*every) & {"image", "font"})
