"""Builds what visits need: the number of places on this machine, the browser pool, and the event loop of both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pagemill.app.parts import machine_budget
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine, find_chromium, shm_total_mb
from pagemill.browser.opener import Opener
from pagemill.browser.pool import BrowserPool
from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import Config
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.engine.loop_thread import LoopThread
from pagemill.errors import DeadlineExceeded, UsageError
from pagemill.guard.budget import wanted_places
from pagemill.guard.container import cores
from pagemill.guard.probe import private_mb_by_process

_OPEN_S = 180.0
_CLOSE_S = 60.0


def places(config: Config, platforms: Mapping[str, Platform], processes: int = 1) -> int:
    """How many visits one worker process may have at work at once. `auto` must be resolved in these platforms."""
    lanes = [platform.workflow.concurrency.default for platform in platforms.values()]
    shm_mb = 0 if config.settings.browser.dev_shm is False else shm_total_mb() // processes
    wanted = wanted_places(config.settings.pool.places, lanes, max(1, cores() // processes), shm_mb)
    return machine_budget(config, processes).lanes(wanted)


@contextmanager
def build_pool(
    config: Config, platforms: dict[str, Platform], secrets: VisitorSecrets, loop: LoopThread, processes: int = 1
) -> Iterator[BrowserPool]:
    """An open browser pool for these platforms, closed when the block ends; `processes` workers share the machine.

    Raises:
        BrowserUnavailable: no Chromium is found, or it does not start.
    """
    size = places(config, platforms, processes)
    heap_mb = config.settings.guard.js_heap_limit_mb
    blocked = _blocked_by_all(platforms)
    hosts = [host for platform in platforms.values() for host in platform.hosts]
    options = launch_options(config.settings.browser, examine_machine(), size, blocked, heap_mb, hosts=hosts)
    visits_pages = any(platform.extract.visits_pages for platform in platforms.values())
    # Visits without a page need no browser, so a machine without Chromium can make them.
    chromium = find_chromium(config.environment.chromium) if visits_pages else Path("chromium")
    launcher: Opener
    # Imported here, because a process needs only one of the two, and Playwright takes 7 MB.
    if _uses_driver(config, platforms):
        from pagemill.browser.playwright_launcher import PlaywrightLauncher

        launcher = PlaywrightLauncher(chromium, options, config.settings.pool, blocked, secrets)
    else:
        from pagemill.browser.cdp.launcher import CdpLauncher

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
    """The engine's event loop on its own thread; stopped when the block ends."""
    loop = LoopThread()
    loop.start()
    try:
        yield loop
    finally:
        with contextlib.suppress(DeadlineExceeded):
            loop.stop(_CLOSE_S)


def _uses_driver(config: Config, platforms: dict[str, Platform]) -> bool:
    """Whether pages are opened by Playwright's driver. Without it they are faster and take less memory.

    Raises:
        UsageError: the driver is switched off, but a platform's strategy needs it.
    """
    wanted = config.settings.browser.driver
    needing = {name: why for name, platform in sorted(platforms.items()) if (why := platform.needs_driver)}
    if needing and wanted == "none":
        remedy = "write browser.driver: auto, or serve these platforms by workers of their own (--platform)"
        said = ", ".join(f"{why} of {name}" for name, why in needing.items())
        raise UsageError(f"browser.driver: none does not go with the {said}: {remedy}")
    return wanted == "playwright" or bool(needing)


def _blocked_by_all(platforms: dict[str, Platform]) -> frozenset[ResourceKind]:
    """Resource kinds that all platforms block: launch flags block these. The firewall blocks the others."""
    every = [set(platform.navigation.block) for platform in platforms.values()]
    return frozenset(set.intersection(*every) & {"image", "font"})
