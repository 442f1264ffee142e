"""Checks whether a machine can run a worker: browser, Redis, database, memory, /dev/shm, and the values of `auto`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

from pagemill.applying.write_rights import look_at_rights
from pagemill.browser.flags import Machine, launch_options, looks_names_up, shm_needed_mb
from pagemill.browser.machine import examine_machine, find_chromium
from pagemill.browser.name_lookup import NameLookup
from pagemill.checks.finding import Finding, looked_at
from pagemill.checks.guard_values import look_at_guard
from pagemill.checks.host_names import look_at_names
from pagemill.checks.redis_server import look_at_redis
from pagemill.config.child_environment import child_environment
from pagemill.config.platform import Platform
from pagemill.config.reading.crosschecks import fragile_fields
from pagemill.config.remedies import Remedy
from pagemill.config.settings import Config
from pagemill.config.visitor.needs import visitor_needs
from pagemill.config.visitor.visitor import Visitor
from pagemill.errors import BrowserUnavailable, UsageError
from pagemill.extraction.strategy import load_strategy
from pagemill.guard.budget import BASE_MB, LANE_MB, PLANNED_SHARE, Budget, budget_of, page_uses, resolved, wanted_places
from pagemill.guard.container import cores
from pagemill.guard.probe import machine_memory, memory_limit_mb
from pagemill.results.store import ResultStore
from pagemill.telemetry.log_files import FILES

_VERSION_TIMEOUT_S = 15
_LEAST_MB = 550
"""MB. With less, a single lane already exceeds the guard's lowest marks."""


def examine(config: Config, data_folder: Path) -> list[Finding]:
    """Runs all checks that a worker needs. Each has a time limit, and one that fails becomes a finding.

    Changes nothing, except that it creates the empty database and the embedded Redis' folder, as a worker would.
    """
    looks: list[tuple[str, Callable[[], str | Finding | Sequence[Finding]]]] = [
        ("configuration", lambda: f"{len(config.platforms)} platforms: {', '.join(sorted(config.platforms))}"),
        ("browser", lambda: _browser(config)),
        ("redis", lambda: look_at_redis(config.environment.redis_url, data_folder)),
        ("database", lambda: _database(config)),
        ("memory", lambda: _room(config)),
        ("log files", lambda: _log_files(config)),
        *((f"catalogue of {name}", partial(_catalogue, config, platform)) for name, platform in _written(config)),
        *((f"strategy of {name}", partial(_strategy, platform)) for name, platform in own_strategies(config)),
        *((f"visitor of {name}", partial(_visitor, config, platform)) for name, platform in _described(config)),
        ("keys", lambda: _outdated(config)),
        ("fields", lambda: _fragile(config)),
        ("hosts", lambda: _names(config)),
    ]
    findings = [finding for subject, look in looks for finding in looked_at(subject, look)]
    redis_answers = any(finding.subject == "redis" and finding.fine for finding in findings)
    return findings + looked_at("guard", lambda: look_at_guard(config, data_folder if redis_answers else None))


def _browser(config: Config) -> str:
    executable = find_chromium(config.environment.chromium)
    try:
        answer = subprocess.run(
            [executable, "--version", "--no-sandbox"],
            env=child_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrowserUnavailable(f"{executable} does not run: {error}") from error
    if answer.returncode:
        raise BrowserUnavailable(f"{executable} does not run: {answer.stderr.strip()[:300]}")
    return f"{executable}: {answer.stdout.strip() or 'runs'}"


def _database(config: Config) -> str:
    with ResultStore(config.environment.database_url) as store:
        latest = store.latest_run()
    return f"answers; {'no run yet' if latest is None else f'latest run {latest}'}"


def _written(config: Config) -> list[tuple[str, Platform]]:
    """Platforms whose results may be written into the catalogue."""
    return [(name, platform) for name, platform in sorted(config.platforms.items()) if platform.catalog.written]


def _catalogue(config: Config, platform: Platform) -> str | Finding:
    """Whether `pagemill apply` could write into the platform's catalogue."""
    if config.environment.catalog_write_url:
        return look_at_rights(config.environment, platform)
    text = "PAGEMILL_CATALOG_WRITE_URL is not set: `pagemill apply` shows what it would write, and writes nothing"
    return Finding(f"catalogue of {platform.platform}", True, text, is_advice=True)


def _log_files(config: Config) -> str | Sequence[Finding]:
    """Whether the log files can be written, if a folder for them is configured."""
    folder = config.environment.log_folder
    if folder is None:
        return ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return f"{', '.join(FILES)} in {folder}"
    except OSError as error:
        remedy = "make it writable, or name another folder in PAGEMILL_LOG_FOLDER"
        raise UsageError(f"{folder} cannot be written: {error.strerror}: {remedy}") from error


def own_strategies(config: Config) -> list[tuple[str, Platform]]:
    """Platforms with a strategy class of the user's own, which can only be checked by loading it."""
    platforms = sorted(config.platforms.items())
    return [(name, platform) for name, platform in platforms if any(s.is_own for s in platform.extract.sources)]


def _strategy(platform: Platform) -> str:
    load_strategy(platform)
    own = next(source for source in platform.extract.sources if source.is_own)
    return f"{own.strategy} can be loaded"


def _described(config: Config) -> list[tuple[str, Platform]]:
    """Platforms whose file describes their visitor."""
    return [(name, platform) for name, platform in sorted(config.platforms.items()) if platform.visitor != Visitor()]


def _visitor(config: Config, platform: Platform) -> str:
    """The visitor in words. Shows the names of secrets, never their values."""
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
    """Platforms whose files use old names of keys."""
    return [
        Finding(f"keys of {name}", True, f"{old} is called {new} now: rename it", is_advice=True)
        for name, platform in sorted(config.platforms.items())
        for old, new in platform.outdated.items()
    ]


def _names(config: Config) -> list[Finding]:
    """Host names that visits will refuse, because they lead to private addresses."""
    return look_at_names(config.platforms, NameLookup()) if looks_names_up(config.settings.browser) else []


def _room(config: Config) -> list[Finding]:
    """Memory, the number of places, the sandbox, and the values of each platform that follow from them."""
    machine = examine_machine()
    settings = config.settings
    budget = budget_of(
        memory_limit_mb(), settings.guard.memory_limit_mb, machine.shm_total_mb, settings.browser.dev_shm
    )
    return [_memory(budget), _places(config, machine, budget), _sandbox(config, machine), *_platforms(config, budget)]


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


def _places(config: Config, machine: Machine, budget: Budget) -> Finding:
    own_cores, asked = cores(), config.settings.pool.places
    lanes = [resolved(platform, budget).workflow.concurrency.default for platform in config.platforms.values()]
    shm_mb = 0 if config.settings.browser.dev_shm is False else machine.shm_total_mb
    wanted = wanted_places(asked, lanes, own_cores, shm_mb)
    places = budget.lanes(wanted)
    width = f"{places} visits at work at once"
    if places < wanted:
        width += f" of the {wanted} wanted, which is what {_short(budget, places)} carries"
    options = launch_options(config.settings.browser, machine, places, frozenset())
    needed_mb = shm_needed_mb(places)
    where = "shared memory" if options.uses_dev_shm else f"files ({Remedy.SHORT_OF_SHM}: {needed_mb // 1024}gb)"
    text = (
        f"{width}, all platforms together; pool.places is {asked}, {sum(lanes)} lanes, {own_cores} cores; scratch data "
        f"in {where}: {places} places want {needed_mb} MB of /dev/shm, there are {machine.shm_total_mb} MB"
    )
    return Finding("places", True, text)


def _short(budget: Budget, carried: int) -> str:
    return "shared memory" if carried == budget.lanes_by_shm else "memory"


def _sandbox(config: Config, machine: Machine) -> Finding:
    setting = config.settings.browser.sandbox
    on = machine.can_sandbox if setting == "auto" else setting
    why = (
        ": run as an ordinary user on a kernel with user namespaces to have it. Without it a page that breaks out of "
        "its process has all rights of this user"
    )
    text = f"Chromium's sandbox is {'on' if on else 'off'} ({setting}){'' if on else why}"
    return Finding("sandbox", True, text, is_advice=not on)


def _platforms(config: Config, budget: Budget) -> list[Finding]:
    return [
        Finding(f"platform {name}", True, _platform(configured, budget))
        for name, configured in sorted(config.platforms.items())
    ]


def _fragile(config: Config) -> list[Finding]:
    """Platforms with fields that depend on a single selector, so that the shop's next redesign breaks them."""
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


def _platform(configured: Platform, budget: Budget) -> str:
    platform = resolved(configured, budget)
    asked, lanes = configured.workflow.concurrency.default, platform.workflow.concurrency.default
    width = f"{lanes} lanes"
    if lanes < asked:
        width += f" of the {asked} asked for, which is what {_short(budget, lanes)} carries"
    if (fleet := platform.workflow.concurrency.fleet) is not None:
        width += f" ({fleet} {'visit' if fleet == 1 else 'visits'} at one time in the whole fleet)"
    return f"{width}, page every {platform.rotation.page} and context every {platform.rotation.context} uses"
