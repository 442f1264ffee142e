"""Opens and closes browsers, contexts and pages over Chromium's own protocol. Decides nothing.

Every call has a deadline. Opening raises if it fails. Closing never raises: it escalates to SIGKILL of the process
group and returns whether it went well. Profiles are in the worker's scratch folder and are removed with their browser.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pagemill.browser.bounded_calls import answered, closed, collected, gives_answer, heap_mb
from pagemill.browser.cdp.connection import Connection
from pagemill.browser.cdp.page import CdpPage
from pagemill.browser.cdp.process import start
from pagemill.browser.cdp.session import PageSession
from pagemill.browser.cdp.storage import fill_storage
from pagemill.browser.cdp.switches import DISABLED_FEATURES, SWITCHES
from pagemill.browser.cdp.workers import Workers
from pagemill.browser.exit_watch import ExitWatch
from pagemill.browser.firewall import Firewall
from pagemill.browser.flags import LaunchOptions
from pagemill.browser.isolated_world import IsolatedWorld
from pagemill.browser.name_lookup import NameLookup
from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.browser.page_firewall import PROXY_BYPASS, page_firewall
from pagemill.browser.process_group import kill_browser_group
from pagemill.browser.visitor.appearance import Appearance
from pagemill.browser.visitor.preset_cookies import for_chromium, preset_cookies
from pagemill.config.child_environment import child_environment
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import PoolSettings
from pagemill.config.visitor.secrets import Proxy, VisitorSecrets
from pagemill.config.visitor.storage_state import StorageState
from pagemill.deadlines import within
from pagemill.errors import BrowserUnavailable, DeadlineExceeded
from pagemill.playwright_errors import PlaywrightError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

log = get_logger("browser")

_LAST_WORDS = 300
_OPEN_CONTEXT, _OPEN_PAGE = "open a context", "open a page"


@dataclass(frozen=True, slots=True)
class CdpBrowser:
    """A running Chromium."""

    connection: Connection
    workers: Workers


@dataclass(frozen=True, slots=True)
class _Context:
    browser: CdpBrowser
    name: str


class CdpLauncher:
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
        """There is no driver: a handle without one."""
        return DriverHandle(None, 0)

    async def stop_driver(self, handle: DriverHandle) -> bool:
        """There is no driver to stop."""
        return True

    async def launch(self, driver: DriverHandle, on_lost: Callable[[], None]) -> BrowserHandle:
        """Launches Chromium; `on_lost` is called when it goes away, on purpose or not.

        Raises:
            BrowserUnavailable: it does not start in time.
        """
        what = f"launch {self._executable} (does it run by itself? if not, set PAGEMILL_CHROMIUM to one that does)"
        profile = Path(tempfile.mkdtemp(prefix="pagemill-profile-", dir=os.environ.get("TMPDIR")))
        output = profile / "output.txt"
        try:
            process = start(self._executable, self._switches(profile), child_environment(), output)
        except OSError as error:
            shutil.rmtree(profile, ignore_errors=True)
            raise BrowserUnavailable(f"cannot {what}: {error}") from error
        ExitWatch(process.pid, process.reap)
        connection = await Connection.opened(process.answers, process.commands, on_lost)
        workers = Workers(connection)
        try:
            asking = _first_answer(connection, workers)
            answer = await within(self._settings.launch_timeout_s, asking, what)
        except BaseException as error:
            connection.close()
            kill_browser_group(process.pid)
            said = output.read_text(errors="replace").strip()[-_LAST_WORDS:] if output.exists() else ""
            shutil.rmtree(profile, ignore_errors=True)
            if isinstance(error, PlaywrightError | DeadlineExceeded):
                raise BrowserUnavailable(f"cannot {what}: {said or error}") from error
            raise
        pid = next(int(process["id"]) for process in answer["processInfo"] if process["type"] == "browser")
        return BrowserHandle(CdpBrowser(connection, workers), pid, process.pid, profile)

    def _switches(self, profile: Path) -> list[str]:
        switches = [*SWITCHES, *self._options.switches((), DISABLED_FEATURES), f"--user-data-dir={profile}"]
        if not self._options.sandbox:
            switches.append("--no-sandbox")
        if not self._options.uses_dev_shm:
            switches.append("--disable-dev-shm-usage")
        return switches

    async def open_context(
        self, browser: BrowserHandle, platform: Platform, proxy: Proxy | None = None
    ) -> ContextHandle:
        """Opens a context that downloads nothing and has the visitor's cookies and storage.

        Raises:
            PageLost: the browser does not answer or is gone.
        """
        opening = _open_context(browser.native, platform, proxy, self._secrets.storage.get(platform.platform))
        return ContextHandle(await answered(opening, self._settings.open_timeout_s, _OPEN_CONTEXT), proxy)

    async def open_page(self, context: ContextHandle, platform: Platform) -> PageHandle:
        """Opens a page that looks like the platform's visitor and can only visit its hosts.

        Raises:
            PageLost: the browser does not answer or is gone.
        """
        block = set(platform.navigation.block) - self._blocked_by_flags
        firewall = page_firewall(platform, self._secrets, context.proxy, self._lookup)
        opening = _open_page(context.native, platform, firewall, block)
        page: PageHandle = await answered(opening, self._settings.open_timeout_s, _OPEN_PAGE)
        return page

    async def close_page(self, handle: PageHandle) -> bool:
        """Closes the page. Returns whether that worked in time."""
        page = cast(CdpPage, handle.page)
        return await closed(page.close(), self._settings.close_timeout_s, "close a page")

    async def close_context(self, handle: ContextHandle) -> bool:
        """Closes the context with its pages. Returns whether that worked in time."""
        context: _Context = handle.native
        disposing = context.browser.connection.send("Target.disposeBrowserContext", {"browserContextId": context.name})
        went_well = await closed(disposing, self._settings.close_timeout_s, "close a context")
        context.browser.workers.context_closed(context.name)
        return went_well

    async def close_browser(self, handle: BrowserHandle) -> bool:
        """Closes the browser, kills its process group in any case, removes its profile. Returns whether it closed by
        itself."""
        connection: Connection = handle.native.connection
        went_well = await closed(connection.send("Browser.close"), self._settings.close_timeout_s, "close Chromium")
        went_well = went_well and await closed(
            connection.wait_closed(), self._settings.close_timeout_s, "wait for Chromium's end"
        )
        connection.close()
        if not went_well:
            log.warning(events.CLOSE_ESCALATED, level="browser", pid=handle.pid)
        kill_browser_group(handle.group)
        if handle.profile is not None:
            await asyncio.to_thread(shutil.rmtree, handle.profile, ignore_errors=True)
        return went_well

    async def collect_garbage(self, handle: PageHandle, *, at_next_document: bool) -> None:
        """See `Firewall.collect_garbage`; bounded by `bounded_calls.collected`."""
        await collected(handle.firewall.collect_garbage(at_next_document=at_next_document))

    async def heap_mb(self, handle: PageHandle) -> float | None:
        """See `bounded_calls.heap_mb`."""
        return await heap_mb(handle.firewall.ask("Runtime.getHeapUsage"))

    async def answers(self, handle: BrowserHandle) -> bool:
        """Whether the browser answers a question in time; see `bounded_calls.gives_answer`."""
        connection: Connection = handle.native.connection
        return await gives_answer(connection.send("Browser.getVersion"), "ask the browser for its version")

    def kill(self, browser: BrowserHandle, driver: DriverHandle) -> None:
        """Sends SIGKILL, without asking first."""
        kill_browser_group(browser.group)


async def _first_answer(connection: Connection, workers: Workers) -> dict[str, Any]:
    await workers.watch()
    return await connection.send("SystemInfo.getProcessInfo")


async def _open_context(
    browser: CdpBrowser, platform: Platform, proxy: Proxy | None, state: StorageState | None
) -> _Context:
    send = browser.connection.send
    server = {} if proxy is None else {"proxyServer": proxy.address.server, "proxyBypassList": PROXY_BYPASS}
    name = str((await send("Target.createBrowserContext", server))["browserContextId"])
    await send("Browser.setDownloadBehavior", {"behavior": "deny", "browserContextId": name})
    if platform.visitor.geolocation is not None:
        await send("Browser.grantPermissions", {"permissions": ["geolocation"], "browserContextId": name})
    if cookies := preset_cookies(platform, state):
        await send("Storage.setCookies", {"cookies": for_chromium(cookies), "browserContextId": name})
    await fill_storage(browser.connection, name, () if state is None else state.origins)
    return _Context(browser, name)


async def _open_page(
    context: _Context, platform: Platform, firewall: Firewall, block: Collection[ResourceKind]
) -> PageHandle:
    send, appearance = context.browser.connection.send, Appearance(platform.visitor)
    # A hidden page is not laid out or drawn, which saves a quarter of a visit's work. But it gets no location.
    hidden = platform.navigation.draw == "on_demand" and platform.visitor.geolocation is None
    creation = {"url": "about:blank", "browserContextId": context.name, **appearance.window}
    if hidden:
        creation["windowState"] = "minimized"
    target = str((await send("Target.createTarget", creation))["targetId"])
    attached = await send("Target.attachToTarget", {"targetId": target, "flatten": True})
    session = PageSession(context.browser.connection, attached["sessionId"])
    await asyncio.gather(
        session.send("Inspector.enable"),  # tells when the page crashes
        firewall.attach(cast("CDPSession", session), block, target),
        context.browser.workers.page_opened(context.name, session),
        *(session.send(method, parameters) for method, parameters in appearance.commands()),
    )
    page = CdpPage(session, target, appearance.window, hidden=hidden, metrics=appearance.metrics)
    return PageHandle(cast("Page", page), firewall, IsolatedWorld(session, target))
