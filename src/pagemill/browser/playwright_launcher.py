"""Opens and closes driver, browsers, contexts and pages through Playwright. Decides nothing.

Every call has a deadline. Opening raises if it fails. Closing never raises: it escalates to SIGKILL of the process
group and returns whether it went well. Profiles are in the worker's scratch folder and are removed with their browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Playwright, async_playwright

from pagemill.browser.bounded_calls import answered, closed, collected, gives_answer, heap_mb, started
from pagemill.browser.driver_start import confine_driver
from pagemill.browser.exit_watch import ExitWatch
from pagemill.browser.firewall import Firewall
from pagemill.browser.flags import LaunchOptions
from pagemill.browser.isolated_world import IsolatedWorld
from pagemill.browser.name_lookup import NameLookup
from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.browser.page_firewall import PROXY_BYPASS, page_firewall
from pagemill.browser.playwright_features import DISABLED_FEATURES, ENABLED_FEATURES
from pagemill.browser.process_group import command_line, kill, kill_browser_group
from pagemill.browser.service_workers import PAST_SERVICE_WORKERS
from pagemill.browser.visitor.appearance import Appearance
from pagemill.browser.visitor.preset_cookies import preset_cookies
from pagemill.config.child_environment import child_environment
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import PoolSettings
from pagemill.config.visitor.secrets import Proxy, VisitorSecrets
from pagemill.config.visitor.visitor import ClientCertificate
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.playwright_errors import PlaywrightError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_STOP_LOADING_S = 1.0


@dataclass(eq=False, slots=True)
class _Driver:
    playwright: Playwright
    watch: ExitWatch | None


@dataclass(eq=False, slots=True)
class _Browser:
    browser: Browser
    session: CDPSession
    """Stays open, to ask the browser whether it answers."""


class PlaywrightLauncher:
    """Opens and closes with one set of launch options."""

    def __init__(
        self,
        executable: Path,
        options: LaunchOptions,
        settings: PoolSettings,
        blocked_by_flags: frozenset[ResourceKind] = frozenset(),
        secrets: VisitorSecrets | None = None,
        lookup: NameLookup | None = None,
    ) -> None:
        self._lookup = lookup or (NameLookup() if options.looks_names_up else None)
        self._secrets = secrets or VisitorSecrets()
        self._executable = executable
        self._options = options
        self._settings = settings
        self._blocked_by_flags = blocked_by_flags

    async def start_driver(self, on_lost: Callable[[], None]) -> DriverHandle:
        """Starts Playwright's driver process; `on_lost` is called when it ends without being stopped.

        Raises:
            BrowserUnavailable: it does not start in time, or would inherit what it must not.
        """
        confine_driver()
        before = _child_pids()
        manager = async_playwright()
        try:
            playwright = await started(manager.start(), self._settings.launch_timeout_s, "start the driver")
        except BaseException:
            for pid in _child_pids() - before:
                kill(pid)  # Playwright did not return anything to stop it with
            raise
        pid = max(_child_pids() - before, default=0)
        # Playwright does not report its driver's death; only calls under way fail. So the process is watched.
        return DriverHandle(_Driver(playwright, ExitWatch(pid, on_lost) if pid else None), pid)

    async def launch(self, driver: DriverHandle, on_lost: Callable[[], None]) -> BrowserHandle:
        """Launches Chromium; `on_lost` is called when it goes away, on purpose or not.

        Raises:
            BrowserUnavailable: it does not start in time.
        """
        browser = await started(
            driver.native.playwright.chromium.launch(
                executable_path=self._executable,
                args=self._options.switches(ENABLED_FEATURES, DISABLED_FEATURES),
                ignore_default_args=list(self._options.ignore_default_args),
                chromium_sandbox=self._options.sandbox,
                env={**child_environment()},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                timeout=self._settings.launch_timeout_s * 1000,
            ),
            self._settings.launch_timeout_s + 1,
            f"launch {self._executable} (does it run by itself? if not, set PAGEMILL_CHROMIUM to one that does)",
        )
        browser.on("disconnected", lambda _browser: on_lost())
        session, pid = await started(_browser_pid(browser), self._settings.open_timeout_s, "ask Chromium's process id")
        return BrowserHandle(_Browser(browser, session), pid, _group_of(pid), _profile_of(pid))

    async def open_context(
        self, browser: BrowserHandle, platform: Platform, proxy: Proxy | None = None
    ) -> ContextHandle:
        """Opens a context that looks like the platform's visitor and has its cookies and storage.

        Raises:
            PageLost: the browser does not answer or is gone.
        """
        opening = self._open_context(browser.native.browser, platform, proxy)
        return ContextHandle(await answered(opening, self._settings.open_timeout_s, "open a context"), proxy)

    async def _open_context(self, browser: Browser, platform: Platform, proxy: Proxy | None) -> BrowserContext:
        visitor, state = platform.visitor, self._secrets.storage.get(platform.platform)
        options = Appearance(visitor).context_options()
        if proxy is not None:
            # The firewall gives the password: Playwright would pause every request and turn the cache off.
            options["proxy"] = {"server": proxy.address.server, "bypass": PROXY_BYPASS}
        if visitor.client_certificates:
            options["client_certificates"] = [
                _certificate(certificate, self._secrets) for certificate in visitor.client_certificates
            ]
        if state is not None and state.origins:
            origins = [
                origin.model_dump(by_alias=True, include={"origin", "local_storage"}) for origin in state.origins
            ]
            options["storage_state"] = {"cookies": [], "origins": origins}
        context = await browser.new_context(**options, accept_downloads=False, service_workers="allow")  # see `_guard`
        if cookies := preset_cookies(platform, state):
            await context.add_cookies(cast(Any, cookies))
        return context

    async def open_page(self, context: ContextHandle, platform: Platform) -> PageHandle:
        """Opens a page that can only visit the platform's hosts.

        Raises:
            PageLost: the browser does not answer or is gone.
        """
        page = await answered(context.native.new_page(), self._settings.open_timeout_s, "open a page")
        firewall = page_firewall(platform, self._secrets, context.proxy, self._lookup)
        block = set(platform.navigation.block) - self._blocked_by_flags
        guarding = _guard(page, firewall, block, Appearance(platform.visitor).agent_override)
        world = await answered(guarding, self._settings.open_timeout_s, "put up a page's firewall")
        return PageHandle(page, firewall, world)

    async def close_page(self, handle: PageHandle) -> bool:
        """Closes the page. Returns whether that worked in time."""
        # Chromium 156 often never answers the close of a page whose document was just committed: 25 of 120 hung. After
        # one round trip to the page, none did.
        with contextlib.suppress(PlaywrightError, DeadlineExceeded):
            await within(_STOP_LOADING_S, handle.page.evaluate("window.stop()"), "stop loading")
        return await closed(handle.page.close(), self._settings.close_timeout_s, "close a page")

    async def close_context(self, handle: ContextHandle) -> bool:
        """Closes the context with its pages. Returns whether that worked in time."""
        return await closed(handle.native.close(), self._settings.close_timeout_s, "close a context")

    async def close_browser(self, handle: BrowserHandle) -> bool:
        """Closes the browser, kills its process group in any case, removes its profile. Returns whether it closed by
        itself."""
        went_well = await closed(handle.native.browser.close(), self._settings.close_timeout_s, "close Chromium")
        if not went_well:
            log.warning(events.CLOSE_ESCALATED, level="browser", pid=handle.pid)
        kill_browser_group(handle.group)
        if handle.profile is not None:
            await asyncio.to_thread(shutil.rmtree, handle.profile, ignore_errors=True)
        return went_well

    async def stop_driver(self, handle: DriverHandle) -> bool:
        """Stops the driver, by SIGKILL if it does not stop in time. Returns whether it stopped by itself."""
        if handle.native.watch is not None:
            handle.native.watch.cancel()
        went_well = await closed(handle.native.playwright.stop(), self._settings.close_timeout_s, "stop the driver")
        if not went_well and handle.pid in _child_pids():
            log.warning(events.CLOSE_ESCALATED, level="driver", pid=handle.pid)
            kill(handle.pid)
        return went_well

    async def collect_garbage(self, handle: PageHandle, *, at_next_document: bool) -> None:
        """See `Firewall.collect_garbage`; bounded by `bounded_calls.collected`."""
        await collected(handle.firewall.collect_garbage(at_next_document=at_next_document))

    async def heap_mb(self, handle: PageHandle) -> float | None:
        """See `bounded_calls.heap_mb`."""
        return await heap_mb(handle.firewall.ask("Runtime.getHeapUsage"))

    async def answers(self, handle: BrowserHandle) -> bool:
        """Whether driver and browser answer a question in time; see `bounded_calls.gives_answer`."""
        question = handle.native.session.send("Browser.getVersion")
        return await gives_answer(question, "ask the browser for its version")

    def kill(self, browser: BrowserHandle, driver: DriverHandle) -> None:
        """Sends SIGKILL to both, without asking first."""
        kill_browser_group(browser.group)
        if driver.pid in _child_pids():
            kill(driver.pid)


async def _guard(
    page: Page, firewall: Firewall, block: Collection[ResourceKind], agent_override: dict[str, Any] | None
) -> IsolatedWorld:
    session = await page.context.new_cdp_session(page)
    if agent_override is not None:
        # Playwright's own client hints name HeadlessChrome for every user agent. The latest override wins.
        await session.send("Emulation.setUserAgentOverride", agent_override)
    target = str((await session.send("Target.getTargetInfo"))["targetInfo"]["targetId"])
    for method, parameters in PAST_SERVICE_WORKERS:
        await session.send(method, parameters)
    await firewall.attach(session, block, target)
    crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_crash(_page: Page) -> None:
        if not crash.done():
            crash.set_result(None)

    page.on("crash", on_crash)
    return IsolatedWorld(session, target, crash)


def _certificate(certificate: ClientCertificate, secrets: VisitorSecrets) -> dict[str, Any]:
    """The certificate in Playwright's form."""
    files = {"certPath": certificate.cert_file, "keyPath": certificate.key_file, "pfxPath": certificate.pfx_file}
    words = (
        {} if certificate.passphrase is None else {"passphrase": secrets.credentials[certificate.passphrase].password}
    )
    return {"origin": certificate.origin, **{key: file for key, file in files.items() if file is not None}, **words}


async def _browser_pid(browser: Browser) -> tuple[CDPSession, int]:
    session = await browser.new_browser_cdp_session()
    answer = await session.send("SystemInfo.getProcessInfo")
    return session, next(int(process["id"]) for process in answer["processInfo"] if process["type"] == "browser")


def _profile_of(pid: int) -> Path | None:
    for argument in command_line(pid):
        if argument.startswith("--user-data-dir="):
            return Path(argument.partition("=")[2])
    return None


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return pid  # it has ended already; its own id names no group then


def _child_pids() -> set[int]:
    """Child processes that this thread started. Playwright has no public way to ask for its driver's process id."""
    try:
        text = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    except OSError:
        return set()
    return {int(pid) for pid in text.split()}
