"""Sends a page to a URL, and translates Playwright's errors into pagemill's.

It is done at the document's first byte. `page_reader` waits for the content and reads it.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from pagemill.config.web_address import host_and_port_of
from pagemill.deadlines import within
from pagemill.errors import BrowserLost, DeadlineExceeded, PageLost, PagemillError, VisitFailed, VisitRefused
from pagemill.extraction.time_budget import TimeBudget
from pagemill.playwright_errors import PlaywrightError, PlaywrightTimeout

if TYPE_CHECKING:
    from playwright.async_api import Page, Response

_STEP = "loading the page"
_PAUSES_S = (0.02, 0.1, 0.5)
"""Waits before another try, after another navigation interrupted ours and may still be under way."""
_DRIVER_GRACE_S = 0.5
"""Extra time in which Playwright reports its own time-out. Only a dead or hanging driver takes longer."""
_ANSWER_S = 1.0
"""How long a page that may have crashed is given to answer."""
_MAX_CAUSE = 200
"""Characters of a cause; a page's own script can throw errors of any length."""

_PAGE_LOST = re.compile(
    r"Target crashed|Page crashed|Navigation failed because page crashed"
    r"|(Navigating frame|Frame) (was|has been) detached"
)
_BROWSER_LOST = re.compile(
    r"Target page, context or browser has been closed|Target closed|Browser (has been )?closed|Connection closed"
)
"""These mean that the whole browser is gone, because nobody closes a page while it is leased."""
_REFUSED = frozenset({"ERR_UNSAFE_REDIRECT", "ERR_UNSAFE_PORT", "ERR_BLOCKED_BY_CLIENT"})
"""Addresses that Chromium itself refuses, however often it is asked."""


async def navigate(page: Page, url: str, timeout_s: float) -> int | None:
    """Loads a URL up to the moment its document starts, and returns the document's HTTP status.

    The document is always a new one, even if only the fragment differs from the page's present URL. Otherwise a shop
    that routes by fragment would show what the last visit left.

    Raises:
        DeadlineExceeded: the document did not start in time.
        VisitRefused: the URL is not one of http or https, offered a download, or led where no browser goes.
        PageLost: the page went away; `BrowserLost` when its browser or the driver did.
        VisitFailed: the network or the server failed; the message is the cause, such as `net::ERR_CONNECTION_REFUSED`.
    """
    if isinstance(place := host_and_port_of(url), str):
        raise VisitRefused(place)
    budget = TimeBudget(timeout_s)
    try:
        response = await _go(page, url, budget)
        if response is None:  # the page only moved within the last visit's document
            left_s = budget.left_s(_STEP)
            reload = page.reload(wait_until="commit", timeout=left_s * 1000)
            response = await within(left_s + _DRIVER_GRACE_S, reload, _STEP)
    except PlaywrightError as error:
        raise await meant_by(error, page, _STEP) from error
    return None if response is None else response.status


async def _go(page: Page, url: str, budget: TimeBudget) -> Response | None:
    for pause_s in (*_PAUSES_S, None):
        left_s = budget.left_s(_STEP)
        try:
            goto = page.goto(url, wait_until="commit", timeout=left_s * 1000)
            return await within(left_s + _DRIVER_GRACE_S, goto, _STEP)
        except PlaywrightError as error:
            # After a failed navigation Chromium loads its error page a little later, which interrupts the next visit.
            if pause_s is None or "is interrupted by another navigation" not in error.message:
                raise
            await asyncio.sleep(min(pause_s, left_s))
    raise AssertionError("unreachable")


async def meant_by(error: PlaywrightError, page: Page, what: str) -> PagemillError:
    """As `translate`, for a call that may have sent the page somewhere.

    When a page's process ends, Chromium first reports an aborted navigation, as after an answer without content. Only
    then does it report the crash. So the page is asked.
    """
    meant = translate(error, what)
    if not str(meant).startswith("net::ERR_ABORTED"):
        return meant
    try:
        await within(_ANSWER_S, page.evaluate("1"), "asking the page")
    except PlaywrightError as why:
        lost = translate(why, what)
        return lost if isinstance(lost, PageLost) else meant
    except DeadlineExceeded:
        return PageLost(f"{meant}, and the page does not answer")
    return meant


def translate(error: PlaywrightError, what: str = "the browser") -> PagemillError:
    """The pagemill error for an error of Playwright's. It is returned, not raised.

    Args:
        error: of any call to a page.
        what: the step that failed; a time-out's message names it.
    """
    if isinstance(error, PlaywrightTimeout):
        found = re.search(r"Timeout ([\d.]+)ms exceeded", error.message)
        return DeadlineExceeded(what, round(float(found[1]) / 1000, 3) if found else 0)
    cause = short_cause(error)
    if _PAGE_LOST.match(cause):
        return PageLost(cause)
    if _BROWSER_LOST.match(cause):
        return BrowserLost(cause)
    if cause.startswith("Download is starting"):
        return VisitRefused("download")
    net = re.match(r"net::(\w+)", cause)
    if net is None:
        return VisitFailed(cause)
    if net[1] in _REFUSED:
        return VisitRefused(net[0])
    # Every time-out's message has the word `timeout`; Chromium writes it differently.
    return VisitFailed(f"timeout: {net[0]}" if "TIMED_OUT" in net[1] else net[0])


def short_cause(error: PlaywrightError) -> str:
    """The first line of an error without the call's name, the call log and the stack, bounded in length."""
    lines = error.message.strip().splitlines() or [""]
    return re.sub(r"\A\w+\.\w+: ", "", lines[0])[:_MAX_CAUSE].strip() or "no cause given"
