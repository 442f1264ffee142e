"""Calls a function in a page once, with errors of pagemill. Waiting for a page's content is done by `page_reader`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pagemill.deadlines import within
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import translate
from pagemill.extraction.script_world import World
from pagemill.extraction.time_budget import TimeBudget
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

_MAX_DOCUMENTS = 5
_LATER_S = 0.1


async def ask_page(
    world: World, script: str, arg: Any, timeout_s: float, what: str, *, among_its_own: bool = False
) -> Any:
    """Calls a function in a page's present document; again, if the page moves to another document meanwhile.

    Args:
        world: of the page.
        script: the function, in JavaScript.
        arg: its argument.
        timeout_s: for all of it.
        what: names the step in errors.
        among_its_own: whether it runs in the page's own world, whose scripts may have replaced anything.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: as `page_reader.watch_page`.
    """
    budget = TimeBudget(timeout_s)
    call = world.evaluate_in_page if among_its_own else world.evaluate
    for _ in range(_MAX_DOCUMENTS):
        try:
            return await within(budget.left_s(what), call(script, arg), what)
        except PlaywrightError as error:
            if "Execution context was destroyed" not in error.message:
                raise translate(error, what) from error
        await asyncio.sleep(_LATER_S)
    raise VisitFailed("the page moves from document to document and does not come to rest")


async def bring_to_front(page: Page, timeout_s: float) -> None:
    """Brings a page to the front, so that Chromium draws it as for a visitor.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: as `ask_page`.
    """
    try:
        await within(timeout_s, page.bring_to_front(), "showing the page")
    except PlaywrightError as error:
        raise translate(error, "showing the page") from error
