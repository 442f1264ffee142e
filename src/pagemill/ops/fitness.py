"""Whether a machine is fit for a worker: browser, Redis, database, memory, /dev/shm, and what `auto` comes to here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pagemill.broker.connection import open_redis
from pagemill.browser.flags import Machine, launch_options, shm_needed_mb
from pagemill.browser.machine import examine_machine, find_chromium
from pagemill.config.crosschecks import fragile_fields
from pagemill.config.platform import Platform
from pagemill.config.settings import Config
from pagemill.config.visitor import Visitor
from pagemill.config.visitor_needs import visitor_needs
from pagemill.errors import BrowserUnavailable, PagemillError, UsageError
from pagemill.extraction.strategy import load_strategy
from pagemill.guard.budget import BASE_MB, LANE_MB, PLANNED_SHARE, Budget, budget_of, page_uses, resolved
from pagemill.guard.probe import machine_memory, memory_limit_mb
from pagemill.results.store import ResultStore

_VERSION_TIMEOUT_S = 15
_LEAST_MB = 550
"""With less, one lane alone stands above the guard's first marks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A finding that is not fine says what to change."""

    subject: str
    fine: bool
    text: str
    exit_code: int = 1
    is_advice: bool = False
    """It works, and may be better otherwise."""


def examine(config: Config, data_folder: Path) -> list[Finding]:
    """Looks at everything a worker needs; each look is bounded in time.

    It changes nothing but for the empty database and the folder of the embedded Redis, which a worker would make too.
    """
    machine = examine_machine()
    settings = config.settings
    budget = budget_of(
        memory_limit_mb(), settings.guard.memory_limit_mb, machine.shm_total_mb, settings.browser.dev_shm
    )
    return [
        Finding("configuration", True, f"{len(config.platforms)} platforms: {', '.join(sorted(config.platforms))}"),
        _look("browser", lambda: _browser(config)),
        _look("redis", lambda: _redis(config, data_folder)),
        _look("database", lambda: _database(config)),
        _memory(budget),
        _sandbox(config, machine),
        *(_look(f"strategy of {name}", partial(_strategy, platform)) for name, platform in own_strategies(config)),
        *(_look(f"visitor of {name}", partial(_visitor, config, platform)) for name, platform in _described(config)),
        *_outdated(config),
        *_platforms(config, machine, budget),
        *_fragile(config),
    ]


def _look(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except PagemillError as error:
        return Finding(subject, False, str(error), error.exit_code)


def _browser(config: Config) -> str:
    executable = find_chromium(config.environment.chromium)
    try:
        answer = subprocess.run(
            [executable, "--version", "--no-sandbox"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrowserUnavailable(f"{executable} does not run: {error}") from error
    if answer.returncode:
        raise BrowserUnavailable(f"{executable} does not run: {answer.stderr.strip()[:300]}")
    return f"{executable}: {answer.stdout.strip() or 'runs'}"


def _redis(config: Config, data_folder: Path) -> str:
    with open_redis(config.environment.redis_url, data_folder) as client:
        version = client.info("server").get("redis_version", "?")
    return f"{'at PAGEMILL_REDIS_URL' if config.environment.redis_url else 'embedded'}, version {version}"


def _database(config: Config) -> str:
    with ResultStore(config.environment.database_url) as store:
        latest = store.latest_run()
    return f"answers; {'no run yet' if latest is None else f'latest run {latest}'}"


def own_strategies(config: Config) -> list[tuple[str, Platform]]:
    """Platforms whose strategy is a class of the user's own, which only loading can examine."""
    platforms = sorted(config.platforms.items())
    return [(name, platform) for name, platform in platforms if any(s.is_own for s in platform.extract.sources)]


def _strategy(platform: Platform) -> str:
    load_strategy(platform)
    own = next(source for source in platform.extract.sources if source.is_own)
    return f"{own.strategy} can be loaded"


def _described(config: Config) -> list[tuple[str, Platform]]:
    """Platforms that say something of their visitor."""
    return [(name, platform) for name, platform in sorted(config.platforms.items()) if platform.visitor != Visitor()]


def _visitor(config: Config, platform: Platform) -> str:
    """Who it is. Names of secrets may be shown, what they hold may not."""
    visitor = platform.visitor
    visitor_needs([platform], config.environment)
    if platform.needs_driver == "client_certificates" and config.settings.browser.driver == "none":
        remedy = "write browser.driver: auto, or serve the platform by workers of their own (--platform)"
        raise UsageError(f"client_certificates need Playwright's driver, and browser.driver is none: {remedy}")
    window = visitor.window
    words = [
        *(word for word in (visitor.device, visitor.locale, visitor.time_zone) if word is not None),
        f"window {window.width}x{window.height}",
        *([f"session {visitor.session}"] if visitor.session != "keep" else []),
        *([f"credentials {visitor.credentials}"] if visitor.credentials is not None else []),
        *([f"proxies {', '.join(visitor.proxies)}"] if visitor.proxies else []),
    ]
    return ", ".join(words)


def _outdated(config: Config) -> list[Finding]:
    """Platforms that use keys by their old names."""
    return [
        Finding(f"keys of {name}", True, f"{old} is called {new} now: rename it", is_advice=True)
        for name, platform in sorted(config.platforms.items())
        for old, new in platform.outdated.items()
    ]


def _memory(budget: Budget) -> Finding:
    limit_mb = budget.memory_mb
    memory = machine_memory()
    text = (
        f"{limit_mb} MB may be used, {memory.available_mb} MB are free, swap {memory.swap_mb} MB: "
        f"rotation auto means a page every {page_uses(limit_mb)} uses; lanes: {PLANNED_SHARE * 100:.0f} % "
        f"of {limit_mb} MB less {BASE_MB} MB, by {LANE_MB} MB each, carry {budget.lanes_by_memory}; "
        f"one page's process may take {budget.renderer_limit_mb} MB"
    )
    if limit_mb < _LEAST_MB:
        return Finding("memory", False, f"{text}; give it at least {_LEAST_MB} MB")
    if not memory.swap_mb:
        text += "; without swap a shortage ends in an OOM kill, so keep the container's limit below the free memory"
    return Finding("memory", True, text)


def _sandbox(config: Config, machine: Machine) -> Finding:
    setting = config.settings.browser.sandbox
    on = machine.can_sandbox if setting == "auto" else setting
    why = "" if on else ": run as an ordinary user on a kernel with user namespaces to have it"
    return Finding("sandbox", True, f"Chromium's sandbox is {'on' if on else 'off'} ({setting}){why}")


def _platforms(config: Config, machine: Machine, budget: Budget) -> list[Finding]:
    return [
        Finding(f"platform {name}", True, _platform(configured, config, machine, budget))
        for name, configured in sorted(config.platforms.items())
    ]


def _fragile(config: Config) -> list[Finding]:
    """Platforms that fail with the shop's next redesign."""
    findings = []
    for name, platform in sorted(config.platforms.items()):
        if fragile := fragile_fields(platform.extract):
            places = ", ".join(f"{field} on {selector}" for field, selector in fragile.items())
            text = (
                f"each of these hangs on one selector: {places}. "
                "Write a second selector behind it, or a second source such as structured"
            )
            findings.append(Finding(f"fields of {name}", True, text, is_advice=True))
    return findings


def _platform(configured: Platform, config: Config, machine: Machine, budget: Budget) -> str:
    platform = resolved(configured, budget)
    asked, lanes = configured.workflow.concurrency.default, platform.workflow.concurrency.default
    options = launch_options(config.settings.browser, machine, lanes, frozenset())
    needed_mb = shm_needed_mb(lanes)
    where = "shared memory" if options.uses_dev_shm else f"files (to change that: shm_size {needed_mb // 1024}gb)"
    width = f"{lanes} lanes"
    if lanes < asked:
        short = "shared memory" if lanes == budget.lanes_by_shm else "memory"
        width += f" of the {asked} asked for, which is what {short} carries"
    return (
        f"{width}, page every {platform.rotation.page} and context every {platform.rotation.context} "
        f"uses, scratch data in {where}: {lanes} lanes want {needed_mb} MB of /dev/shm, "
        f"there are {machine.shm_total_mb} MB"
    )
