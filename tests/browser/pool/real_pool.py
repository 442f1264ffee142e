"""A pool on a real Chromium, with an account of every process and folder that came with it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.cdp.launcher import CdpBrowser, CdpLauncher
from pagemill.browser.flags import launch_options
from pagemill.browser.generations import MeasureGroup
from pagemill.browser.machine import examine_machine
from pagemill.browser.name_lookup import NameLookup
from pagemill.browser.opener import BrowserHandle, DriverHandle, Opener
from pagemill.browser.playwright_launcher import PlaywrightLauncher
from pagemill.browser.pool import BrowserPool
from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import Platform
from pagemill.config.section import ResourceKind
from pagemill.config.settings import BrowserSettings, PoolSettings
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.demo import page_faults
from pagemill.errors import BrowserUnavailable, DeadlineExceeded, PageLost
from tests.browser.pool.watched_server import WatchedServer

SHORT: dict[str, object] = {
    "close_timeout_s": 1,
    "open_timeout_s": 2,
    "launch_timeout_s": 10,
    "relaunch_backoff_s": 0.05,
    "idle_pages": 2,
}
"""Deadlines that a test can wait for; and pages stay between visits, unless a test is about those that do not."""

WHEN_PARSED = """() => new Promise((resolve) => {
  const look = () => { if (document.readyState !== "loading") resolve(document.body.textContent); };
  document.addEventListener("readystatechange", look);
  look();
})"""
WHEN_LOADED = """() => new Promise((resolve) => {
  const look = () => { if (document.readyState === "complete") resolve(null); };
  document.addEventListener("readystatechange", look);
  look();
})"""
BY_FLAGS: frozenset[ResourceKind] = frozenset({"image", "font"})
TROUBLE = (PlaywrightError, PageLost, DeadlineExceeded, BrowserUnavailable)
"""What a visit may end with when its browser is being killed."""


LAUNCHERS: dict[str, type[CdpLauncher] | type[PlaywrightLauncher]] = {
    "cdp": CdpLauncher,
    "playwright": PlaywrightLauncher,
}


VICTIMS = [("cdp", "browser"), ("playwright", "browser"), ("playwright", "driver")]
"""Way of opening, and what can be lost there."""


class RecordingLauncher:
    """A launcher that remembers what it started."""

    def __init__(self, launcher: CdpLauncher | PlaywrightLauncher) -> None:
        self._launcher = launcher
        self.drivers: list[DriverHandle] = []
        self.browsers: list[BrowserHandle] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._launcher, name)

    async def start_driver(self, on_lost: Callable[[], None]) -> DriverHandle:
        self.drivers.append(await self._launcher.start_driver(on_lost))
        return self.drivers[-1]

    async def launch(self, driver: DriverHandle, on_lost: Callable[[], None]) -> BrowserHandle:
        self.browsers.append(await self._launcher.launch(driver, on_lost))
        return self.browsers[-1]


@dataclass(frozen=True)
class RealPool:
    """An open pool and what it runs on."""

    pool: BrowserPool
    launcher: RecordingLauncher
    temporary: Path
    """The folder that profiles are in."""

    @property
    def browser(self) -> BrowserHandle:
        """The browser that was launched last."""
        return self.launcher.browsers[-1]

    @property
    def driver(self) -> DriverHandle:
        """The driver that was started last."""
        return self.launcher.drivers[-1]

    def remains(self, *, but_the_last: bool = False) -> list[str]:
        """What is left of all browsers and drivers, or of all but the last of each: processes and folders."""
        end = -1 if but_the_last else None
        browsers, drivers = self.launcher.browsers[:end], self.launcher.drivers[:end]
        left = [f"process {pid} of browser {b.pid}" for b in browsers for pid in group_members(b.group)]
        left += [f"driver {driver.pid}" for driver in drivers if driver.pid and lives(driver.pid)]
        return left + [f"profile {b.profile}" for b in browsers if b.profile is not None and b.profile.exists()]


@asynccontextmanager
async def real_pool(
    executable: Path,
    temporary: Path,
    size: int = 1,
    *,
    by_flags: frozenset[ResourceKind] = BY_FLAGS,
    measure: MeasureGroup = lambda _group: {},
    kind: str = "playwright",
    secrets: VisitorSecrets | None = None,
    hosts: Sequence[str] = ("127.0.0.1",),
    extra_args: Sequence[str] = (),
    lookup: NameLookup | None = None,
    **settings: object,
) -> AsyncIterator[RealPool]:
    """An open pool; after it is closed nothing of it may be left, whatever the test did to it."""
    pool_settings = PoolSettings.model_validate({**SHORT, **settings})
    browser_settings = BrowserSettings(extra_args=tuple(extra_args))
    options = launch_options(browser_settings, examine_machine(), size, by_flags, hosts=hosts)
    launcher = RecordingLauncher(LAUNCHERS[kind](executable, options, pool_settings, by_flags, secrets, lookup))
    proxies = Proxies((secrets or VisitorSecrets()).proxies)
    pool = BrowserPool(cast(Opener, launcher), pool_settings, size, measure=measure, proxies=proxies)
    real = RealPool(pool, launcher, temporary)
    try:
        await real.pool.open()
        yield real
    finally:
        await real.pool.close()
    assert real.launcher.browsers
    assert await until(lambda: not real.remains()), real.remains()
    assert not list(temporary.glob("*profile*"))
    # The test's loop ends now, and a driver that was killed has to be waited for and its pipes closed on it.
    assert await until(
        lambda: not any(Path(f"/proc/{driver.pid}").exists() for driver in launcher.drivers if driver.pid)
    )
    await asyncio.sleep(0.05)


def local_platform(page: int = 1, context: int = 1, name: str = "local", **more: Any) -> Platform:
    """A platform at 127.0.0.1 with these rotations."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["127.0.0.1"],
            "rotation": {"page": page, "context": context},
            "extract": {"fields": {"name": "h1"}},
            **more,
        }
    )


async def visit(pool: BrowserPool, platform: Platform, url: str, seconds: float = 5.0) -> str:
    """What a lane does: leases a page, goes somewhere and reads the text. Its errors are those of `TROUBLE`."""
    async with pool.lease(platform) as lease, asyncio.timeout(seconds):
        try:
            await lease.page.goto(url, wait_until="commit", timeout=seconds * 1000)
            return str(await lease.page.evaluate(WHEN_PARSED))
        except PlaywrightError as error:
            raise PageLost(str(error)) from error


async def visit_at_last(pool: BrowserPool, platform: Platform, url: str, within_s: float) -> str:
    """Visits until it works, as lanes do; a pool that does not recover in time is an error."""
    async with asyncio.timeout(within_s):
        while True:
            with contextlib.suppress(*TROUBLE, TimeoutError):
                return await visit(pool, platform, url, 2.0)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def settled(pool: BrowserPool) -> bool:
    """Whether everything that was to be opened or closed has been."""

    def quiet() -> bool:
        opening = any(slot.successor is not None and not slot.successor.task.done() for slot in idle(pool))
        return not opening and not pool.stats().closing and pool._generations._launching is None

    return await until(quiet, 10)


def idle(pool: BrowserPool) -> Iterable[Any]:
    """The slots that nobody leases."""
    return pool._slots.idle


def accounted_pages(pool: BrowserPool) -> int:
    """How many pages a settled pool without leases believes to have open."""
    pages = 0
    for slot in idle(pool):
        if slot.context is not None and slot.context.wear.bad:
            continue  # it was closed, and the slot goes when the next lease comes upon it
        opened = slot.successor is not None and slot.successor.task.exception() is None
        pages += (slot.page is not None) + opened
    return pages


async def open_pages(browser: BrowserHandle) -> int:
    """How many pages a browser has open, asked past Playwright's own account."""
    if isinstance(browser.native, CdpBrowser):
        answer = await browser.native.connection.send("Target.getTargets")
        return sum(target["type"] == "page" for target in answer["targetInfos"])
    session = await browser.native.browser.new_browser_cdp_session()
    try:
        answer = await session.send("Target.getTargets")
    finally:
        await session.detach()
    return sum(target["type"] == "page" for target in answer["targetInfos"])


def group_members(group: int) -> list[int]:
    """The living processes of a process group; one that has ended and was not waited for yet is none."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, member_of = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(member_of) == group and state not in "ZX":
                members.append(int(stat.parent.name))
    return members


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def is_usable(lease: Any, server: WatchedServer) -> bool:
    """Whether a leased page can still visit the shop."""
    await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=5000)
    return str(await lease.page.evaluate(WHEN_PARSED)) == "usable"


async def where(lease: Any) -> str:
    """The address of the document that a leased page shows."""
    return str(await lease.page.evaluate("location.href"))


async def goto_loaded(lease: Any, url: str, timeout_s: float = 5.0) -> None:
    """Goes there and waits until everything has been loaded."""
    async with asyncio.timeout(timeout_s):
        await lease.page.goto(url, wait_until="commit", timeout=timeout_s * 1000)
        await lease.page.evaluate(WHEN_LOADED)


async def click(lease: Any) -> None:
    """Touches a leased page, as a person would."""
    for kind in ("mousePressed", "mouseReleased"):
        event = {"type": kind, "x": 10, "y": 10, "button": "left", "clickCount": 1}
        await lease._handle().firewall._session.send("Input.dispatchMouseEvent", event)


async def frame_urls(lease: Any) -> list[str]:
    """The addresses of all frames of a leased page."""
    tree = (await lease._handle().firewall.ask("Page.getFrameTree"))["frameTree"]
    trees, urls = [tree], []
    while trees:
        tree = trees.pop()
        urls.append(tree["frame"]["url"])
        trees += tree.get("childFrames", [])
    return urls


async def crash(page: Any) -> None:
    """Crashes a page and waits until that is known."""
    with pytest.raises(PlaywrightError, match="crashed"):
        async with asyncio.timeout(10):
            await page.evaluate(f"() => {{ {page_faults._CRASH}; return new Promise(() => {{}}); }}")
