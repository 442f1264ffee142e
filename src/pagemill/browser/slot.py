"""What the pool keeps account of: a driver, the browsers on it, and the slots with their pages. State only, no I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.browser.rotation import Level, Wear
from pagemill.browser.visitor.proxies import ProxyState
from pagemill.config.platform import Platform


@dataclass(eq=False, slots=True)
class DriverState:
    """A driver and how many browsers still run on it."""

    handle: DriverHandle
    wear: Wear
    browsers: int = 0
    retired: str = ""


@dataclass(eq=False, slots=True)
class Generation:
    """One browser on its driver. A retired generation serves nobody new and is closed when its last slot has left."""

    driver: DriverState
    handle: BrowserHandle
    wear: Wear
    slots: int = 0
    retired: str = ""
    """Why it was retired; empty while it serves."""
    level: Level = Level.BROWSER
    """What was rotated when it was retired: the browser alone, or the driver with it."""
    lost: bool = False
    """It went away by itself: there is nothing left to close politely."""
    closing: bool = False
    gone: set[int] = field(default_factory=set)
    """Processes whose end has been counted as freed memory."""


@dataclass(eq=False, slots=True)
class OpenContext:
    """A context and its wear."""

    handle: ContextHandle
    wear: Wear
    big_pages: int = 0
    """How many of its pages were replaced for their size: the second one takes the context with it."""

    @property
    def proxy_name(self) -> str:
        """The name of the proxy that its requests go through; empty without one."""
        return "" if self.handle.proxy is None else self.handle.proxy.name


@dataclass(eq=False, slots=True)
class OpenPage:
    """A page and its wear."""

    handle: PageHandle
    wear: Wear


@dataclass(eq=False, slots=True)
class Successor:
    """What will stand in a slot next: being opened, or open and standing by."""

    task: asyncio.Task[tuple[OpenContext, OpenPage]]
    level: Level
    """`PAGE`: a new page in the slot's context; `CONTEXT`: both are new."""


@dataclass(eq=False, slots=True)
class Slot:
    """The pool's place for one page. It belongs to one platform and one generation for all its life.

    A context without a page means that the page was rotated; the successor brings the next one.
    """

    platform: Platform
    generation: Generation
    context: OpenContext | None = None
    page: OpenPage | None = None
    successor: Successor | None = None

    @property
    def is_unused(self) -> bool:
        """Whether nothing has been visited in its context, or in the one that comes."""
        return self.context is None or not (self.context.wear.uses or self.context.wear.light)

    def wears(self) -> dict[Level, Wear]:
        """The wear of everything that the slot's page depends on."""
        assert self.context is not None and self.page is not None
        wears = {
            Level.PAGE: self.page.wear,
            Level.CONTEXT: self.context.wear,
            Level.BROWSER: self.generation.wear,
        }
        driver = self.generation.driver
        return wears if driver.handle.native is None else {**wears, Level.DRIVER: driver.wear}


@dataclass(slots=True)
class Counters:
    """What has happened in a pool since it was opened."""

    leases: int = 0
    waits: int = 0
    launches: int = 0
    rotations: dict[tuple[Level, str], int] = field(default_factory=dict)

    def count_rotation(self, level: Level, reason: str) -> None:
        """Adds one. Reasons are few and fixed, so this stays small."""
        key = (level, reason)
        self.rotations[key] = self.rotations.get(key, 0) + 1


@dataclass(frozen=True, slots=True)
class PoolStats:
    """A pool at one moment."""

    size: int
    places: int
    """The same as `size`: how many visits may be at work at once."""
    leased: int
    leased_by: Mapping[str, int]
    """Of those, how many each platform has; those that have none are left out."""
    waiting: int
    """How many visits wait for a place."""
    idle: int
    closing: int
    leases: int
    waits: int
    launches: int
    rotations: dict[str, int]
    """Level to count, such as `{"page": 12, "context": 2}`."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Level and reason to count, such as `{"page uses": 11, "page error": 1}`."""
    proxies: tuple[ProxyState, ...] = ()
