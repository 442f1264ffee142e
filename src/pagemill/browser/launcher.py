"""Starts and ends the real things: Playwright's driver, browsers, contexts and pages. Decides nothing.

Every call has a deadline. Opening raises; closing never does: it tries, escalates to SIGKILL of the process group, and
tells whether it went well. Profiles live in the worker's scratch folder and are removed with their browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.exit_watch import ExitWatch
from pagemill.browser.firewall import Firewall
from pagemill.browser.flags import LaunchOptions
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import PoolSettings
from pagemill.deadlines import within
from pagemill.errors import BrowserUnavailable, DeadlineExceeded, PageLost
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_STOP_LOADING_S = 1.0
_ANSWER_S = 3.0
_MIB = 1024 * 1024


@dataclass(eq=False, slots=True)
class DriverHandle:
    """A running Playwright driver. `pid` is 0 where the kernel does not tell."""

    playwright: Playwright
    pid: int
    watch: ExitWatch | None = field(default=None, repr=False)


@dataclass(eq=False, slots=True)
class BrowserHandle:
    """A running Chromium. `group` is its process group; a wrapper script may lead it instead of Chromium itself."""

    browser: Browser
    pid: int
    group: int
    profile: Path | None
    session: CDPSession | None = field(default=None, repr=False)
    """Stays open to ask whether it answers."""


@dataclass(eq=False, slots=True)
class ContextHandle:
    """An open context of one platform."""

    context: BrowserContext


@dataclass(eq=False, slots=True)
class PageHandle:
    """An open page with its firewall."""

    page: Page
    firewall: Firewall = field(repr=False)


class Launcher:
    """Opens and closes with one set of launch options."""

    def __init__(
        self,
        executable: Path,
        options: LaunchOptions,
        settings: PoolSettings,
        blocked_by_flags: frozenset[ResourceKind] = frozenset(),
    ) -> None:
        self._executable = executable
        self._options = options
        self._settings = settings
        self._blocked_by_flags = blocked_by_flags

    async def start_driver(self, on_lost: Callable[[], None]) -> DriverHandle:
        """Starts Playwright's driver process; `on_lost` is called when it goes away without being told to.

        Raises:
            BrowserUnavailable: it does not start in time.
        """
        before = _child_pids()
        manager = async_playwright()
        try:
            playwright = await self._opened(manager.start(), self._settings.launch_timeout_s, "start the driver")
        except BaseException:
            for pid in _child_pids() - before:
                _kill(pid)  # Playwright gave nothing to stop it by
            raise
        pid = max(_child_pids() - before, default=0)
        # Playwright itself says nothing when its driver dies: calls under way fail, and that is all.
        return DriverHandle(playwright, pid, ExitWatch(pid, on_lost) if pid else None)

    async def launch(self, driver: DriverHandle, on_lost: Callable[[], None]) -> BrowserHandle:
        """Launches Chromium; `on_lost` is called when it goes away, on purpose or not.

        Raises:
            BrowserUnavailable: it does not start in time.
        """
        browser = await self._opened(
            driver.playwright.chromium.launch(
                executable_path=self._executable,
                args=list(self._options.args),
                ignore_default_args=list(self._options.ignore_default_args),
                chromium_sandbox=self._options.sandbox,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                timeout=self._settings.launch_timeout_s * 1000,
            ),
            self._settings.launch_timeout_s + 1,
            f"launch {self._executable} (does it run by itself? if not, set PAGEMILL_CHROMIUM to one that does)",
        )
        browser.on("disconnected", lambda _browser: on_lost())
        session, pid = await self._opened(
            _browser_pid(browser), self._settings.open_timeout_s, "ask Chromium's process id"
        )
        return BrowserHandle(browser, pid, _group_of(pid), _profile_of(pid), session)

    async def open_context(self, browser: BrowserHandle, platform: Platform) -> ContextHandle:
        """Opens a context with the platform's window, language and user agent.

        Raises:
            PageLost: the browser does not answer or has gone.
        """
        navigation = platform.navigation
        context = await self._answered(
            browser.browser.new_context(
                viewport={"width": navigation.viewport.width, "height": navigation.viewport.height},
                user_agent=navigation.user_agent,
                locale=navigation.locale,
                accept_downloads=False,
                service_workers="block",
            ),
            "open a context",
        )
        return ContextHandle(context)

    async def open_page(self, context: ContextHandle, platform: Platform) -> PageHandle:
        """Opens a page that can only visit the platform's hosts.

        Raises:
            PageLost: the browser does not answer or has gone.
        """
        page = await self._answered(context.context.new_page(), "open a page")
        firewall = Firewall(platform.host_rules())
        block = set(platform.navigation.block) - self._blocked_by_flags
        await self._answered(firewall.attach(page, block), "put up a page's firewall")
        return PageHandle(page, firewall)

    async def close_page(self, handle: PageHandle) -> bool:
        """Closes it; whether that worked in time."""
        # Chromium 156 often never answers the close of a page whose document has just been committed: 25 of 120 hung.
        # After one round trip to the page, none did.
        with contextlib.suppress(PlaywrightError, DeadlineExceeded):
            await within(_STOP_LOADING_S, handle.page.evaluate("window.stop()"), "stop loading")
        return await self._closed(handle.page.close(), "close a page")

    async def close_context(self, handle: ContextHandle) -> bool:
        """Closes it with its pages; whether that worked in time."""
        return await self._closed(handle.context.close(), "close a context")

    async def close_browser(self, handle: BrowserHandle) -> bool:
        """Closes it, kills its process group in any case, removes its profile; whether it closed by itself."""
        went_well = await self._closed(handle.browser.close(), "close Chromium")
        if not went_well:
            log.warning(events.CLOSE_ESCALATED, level="browser", pid=handle.pid)
        kill_browser_group(handle.group)
        if handle.profile is not None:
            await asyncio.to_thread(shutil.rmtree, handle.profile, ignore_errors=True)
        return went_well

    async def stop_driver(self, handle: DriverHandle) -> bool:
        """Stops it, by SIGKILL when it does not in time; whether it stopped by itself."""
        if handle.watch is not None:
            handle.watch.cancel()
        went_well = await self._closed(handle.playwright.stop(), "stop the driver")
        if not went_well and handle.pid in _child_pids():
            log.warning(events.CLOSE_ESCALATED, level="driver", pid=handle.pid)
            _kill(handle.pid)
        return went_well

    async def heap_mb(self, handle: PageHandle) -> float | None:
        """The page's JavaScript heap with the DOM objects and buffers that hang on it; `None` without an answer."""
        try:
            usage = await within(_ANSWER_S, handle.firewall.ask("Runtime.getHeapUsage"), "measure a page's heap")
        except (PlaywrightError, DeadlineExceeded):
            return None
        parts = ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
        return sum(float(usage.get(part, 0)) for part in parts) / _MIB

    async def answers(self, handle: BrowserHandle) -> bool:
        """Whether driver and browser answer a question in time; a browser that has gone needs no answer."""
        if handle.session is None:
            return True
        try:
            await within(_ANSWER_S, handle.session.send("Browser.getVersion"), "ask the browser for its version")
        except DeadlineExceeded:
            return False
        except PlaywrightError:
            pass
        return True

    def kill(self, browser: BrowserHandle, driver: DriverHandle) -> None:
        """SIGKILL for both, without asking."""
        kill_browser_group(browser.group)
        if driver.pid in _child_pids():
            _kill(driver.pid)

    async def _opened(self, call: Awaitable[Any], seconds: float, what: str) -> Any:
        try:
            return await within(seconds, call, what)
        except PlaywrightError as error:
            raise BrowserUnavailable(f"cannot {what}: {_first_line(error)}") from error
        except DeadlineExceeded as error:
            raise BrowserUnavailable(str(error)) from error

    async def _answered(self, call: Awaitable[Any], what: str) -> Any:
        try:
            return await within(self._settings.open_timeout_s, call, what)
        except PlaywrightError as error:
            raise PageLost(f"cannot {what}: {_first_line(error)}") from error
        except DeadlineExceeded as error:
            raise PageLost(str(error)) from error

    async def _closed(self, call: Awaitable[None], what: str) -> bool:
        try:
            await within(self._settings.close_timeout_s, call, what)
        except DeadlineExceeded as error:
            log.warning(events.TIMEOUT, what=error.what, seconds=error.seconds)
            return False
        except PlaywrightError:
            pass  # it was gone already
        return True


async def _browser_pid(browser: Browser) -> tuple[CDPSession, int]:
    session = await browser.new_browser_cdp_session()
    answer = await session.send("SystemInfo.getProcessInfo")
    return session, next(int(process["id"]) for process in answer["processInfo"] if process["type"] == "browser")


def _profile_of(pid: int) -> Path | None:
    for argument in _command_line(pid):
        if argument.startswith("--user-data-dir="):
            return Path(argument.partition("=")[2])
    return None


def _command_line(pid: int) -> list[str]:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    # Chromium rewrites its own title with spaces instead of NUL bytes on some versions.
    return raw.decode(errors="replace").replace("\0", " ").split()


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return pid  # it has gone already; its own id names no group then


def kill_browser_group(group: int) -> None:
    """SIGKILL for what is left of a browser's process group.

    Each member is looked at first: when the group has ended, its id may belong to a stranger by now.
    """
    for member in _group_members(group):
        if "chrom" in " ".join(_command_line(member)[:3]):
            _kill(member)


def _group_members(group: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # After the name in parentheses: state, parent, process group.
            after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended while being read
        if int(after_name[2]) == group:
            members.append(int(entry.name))
    return members


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _child_pids() -> set[int]:
    """Children that this thread started: Playwright has no public way to ask for its driver's process id."""
    try:
        text = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    except OSError:
        return set()
    return {int(pid) for pid in text.split()}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
