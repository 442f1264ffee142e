"""A page over the bare protocol: the part of Playwright's `Page` that the built-in strategies use.

Names, arguments, errors and messages are Playwright's, so that strategies work with either. The page receives no events
that it did not ask for; so the document's status and address come from the script that runs in the page.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pagemill.browser.cdp.session import PageSession
from pagemill.browser.isolated_world import evaluate
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.playwright_errors import PlaywrightError, PlaywrightTimeout

if TYPE_CHECKING:
    from playwright.async_api import ViewportSize


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose first bytes have come. Its status is not known here: the script in the page reads it."""

    status: None = None


class CdpPage:
    """One page of one context."""

    def __init__(
        self,
        session: PageSession,
        target: str,
        viewport: ViewportSize,
        *,
        hidden: bool,
        metrics: dict[str, Any] | None = None,
    ) -> None:
        """`metrics` are those of the device that the page imitates, if any."""
        self._session = session
        self._device = metrics or {"deviceScaleFactor": 1, "mobile": False}
        self._viewport = viewport
        self._hidden = hidden
        self.target = target
        self.url = "about:blank"
        """The URL that the page was last sent to."""

    @property
    def viewport_size(self) -> ViewportSize:
        """The window's size."""
        return self._viewport

    async def goto(self, url: str, *, wait_until: Literal["commit"], timeout: float) -> Document | None:
        """Loads a URL up to the moment its document starts; `None` if the page only moved within the present document.

        Raises:
            PlaywrightError: it could not be loaded; the message names the reason as Chromium does.
        """
        self.url = url
        try:
            answer = await within(timeout / 1000, self._session.send("Page.navigate", {"url": url}), "Page.navigate")
        except DeadlineExceeded as error:
            raise PlaywrightTimeout(f"Page.goto: Timeout {timeout:g}ms exceeded.") from error
        if answer.get("isDownload"):
            raise PlaywrightError("Page.goto: Download is starting")
        if "errorText" in answer:
            raise PlaywrightError(f"Page.goto: {answer['errorText']} at {url}")
        return Document() if "loaderId" in answer else None

    async def reload(self, *, wait_until: Literal["commit"], timeout: float) -> Document | None:
        """Loads the present URL into a new document."""
        url = self.url
        await self.goto("about:blank", wait_until=wait_until, timeout=timeout)
        return await self.goto(url, wait_until=wait_until, timeout=timeout)

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Calls a JavaScript function with one argument that JSON can carry, and returns its result.

        An expression that is no function is evaluated instead.

        Raises:
            PlaywrightError: the function threw, or its document went away.
        """
        return await evaluate(self._session, expression, arg)

    async def bring_to_front(self) -> None:
        """Makes Chromium draw the page from now on: it may have been opened hidden."""
        if self._hidden:
            window = {"windowId": (await self._session.send("Browser.getWindowForTarget"))["windowId"]}
            await self._session.send("Browser.setWindowBounds", {**window, "bounds": {"windowState": "normal"}})
            self._hidden = False

    async def set_viewport_size(self, viewport_size: ViewportSize) -> None:
        """Changes the size of the page's window, on the same device."""
        metrics = {**self._device, **viewport_size}
        await self._session.send("Emulation.setDeviceMetricsOverride", metrics)
        self._viewport = viewport_size

    async def screenshot(self, *, type: Literal["jpeg"], quality: int, timeout: float) -> bytes:
        """A picture of what the window shows."""
        await within(timeout / 1000, self.bring_to_front(), "Browser.setWindowBounds")
        capture = self._session.send("Page.captureScreenshot", {"format": type, "quality": quality})
        answer = await within(timeout / 1000, capture, "Page.captureScreenshot")
        return base64.b64decode(answer["data"])

    async def close(self) -> None:
        """Closes the page."""
        await self._session.close(self.target)
