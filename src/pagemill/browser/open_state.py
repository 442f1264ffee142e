"""What is open and how worn it is: a driver, its browsers, their contexts and pages. State only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.browser.rotation import RotationLevel, Wear


@dataclass(eq=False, slots=True)
class DriverState:
    """A driver, and how many browsers run on it."""

    handle: DriverHandle
    wear: Wear
    browsers: int = 0
    retired: str = ""


@dataclass(eq=False, slots=True)
class Generation:
    """One browser and its driver. A retired generation gets no new slots, and is closed when its last slot has left."""

    driver: DriverState
    handle: BrowserHandle
    wear: Wear
    slots: int = 0
    retired: str = ""
    """Why it was retired; empty while it serves."""
    level: RotationLevel = RotationLevel.BROWSER
    """What was rotated when it was retired: only the browser, or the driver as well."""
    lost: bool = False
    """Whether it ended by itself, so that nothing is left to close."""
    closing: bool = False
    gone: set[int] = field(default_factory=set)
    """Ids of ended processes whose memory was already counted as freed."""


@dataclass(eq=False, slots=True)
class OpenContext:
    """A context and its wear."""

    handle: ContextHandle
    wear: Wear
    big_pages: int = 0
    """How many of its pages were replaced because of their size. After the second one, the context is replaced too."""

    @property
    def proxy_name(self) -> str:
        """The name of the proxy for its requests; empty without one."""
        return "" if self.handle.proxy is None else self.handle.proxy.name


@dataclass(eq=False, slots=True)
class OpenPage:
    """A page and its wear."""

    handle: PageHandle
    wear: Wear
