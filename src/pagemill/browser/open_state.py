"""What is open, and how worn it is: a driver, the browsers on it, their contexts and pages. State only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.browser.rotation import RotationLevel, Wear


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
    level: RotationLevel = RotationLevel.BROWSER
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
