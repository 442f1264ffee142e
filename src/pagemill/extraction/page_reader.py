"""Waits until a page shows the content, and reads it, with one call to the browser for each document.

The built-in strategies use it, and a strategy of your own may (see `strategy`). It returns raw text; `values` and
`json_path` turn that into facts.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pagemill.deadlines import within
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.page_spec import MAX_URL, STATE_CHARS, Watch, reading_spec, waiting_spec
from pagemill.extraction.script_world import PageWorld, World
from pagemill.extraction.scripts.variables_script import variables_script
from pagemill.extraction.scripts.watch_script import watch_script
from pagemill.extraction.sighting import Sighting, sighting_of
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["Sighting", "Watch", "visit_page", "watch_page", "with_margin"]

_STEP = "waiting for the content"
_MAX_DOCUMENTS = 5
"""A page that leads to another document more often than this counts as failed."""
_MAX_LOST = 20
"""How often a document may be replaced while a call waits in it. One redirect may break several calls."""
_MAX_MARGIN_S = 1.0
"""Seconds by which the script in the page gives up before Python does, so that its answer still arrives."""
_LATER_S = 0.05
_MAX_UNANSWERED = 3
"""How often a document is asked for its variables. A page that has broken the events never answers."""


async def visit_page(page: Page, visit: Visit, watch: Watch) -> Sighting:
    """Goes to the product's address, waits for the content and reads it, all within the visit's time.

    It leaves no listener, timer or script behind in the page.

    Returns:
        What was seen. `ready` is false if the page did not show its content in time; that is no error.

    Raises:
        DeadlineExceeded: the page did not load, or does not answer. It must not be used again.
        VisitRefused, VisitFailed, PageLost: see `navigate`.
    """
    budget = TimeBudget(visit.timeout_s)
    status = await navigate(page, visit.url, visit.timeout_s)
    if watch.is_settled_by(status):
        return Sighting(status, page.url[:MAX_URL])
    left_s = budget.left_s(_STEP)
    return await watch_page(page, watch, left_s, status, world=visit.world, explain=visit.explain)


async def watch_page(
    page: Page,
    watch: Watch,
    timeout_s: float,
    status: int | None,
    stop: str = "",
    *,
    world: World | None = None,
    address: str = "",
    is_end: Callable[[str], bool] = lambda _url: False,
    refresh: str = "",
    explain: bool = False,
    thorough: bool = False,
    shown: bool = False,
) -> Sighting:
    """Waits for the content of the page's document and reads it. If the page leads to another document by itself, it
    goes on there.

    Args:
        page: a page that has navigated.
        watch: what to wait for and read.
        timeout_s: for all documents together.
        status: the HTTP status, used if the document does not know its own.
        stop: the name of an event that ends the wait at once (`STOP_SCRIPT`).
        world: where the scripts run; the page's own world unless told.
        address: where the document should be; empty if it does not matter. If it is elsewhere, `is_end` is asked.
        is_end: whether a document at that address need not be waited for.
        refresh: the document's header of that name: `2;url=/somewhere` leads there after 2 s.
        explain: whether to tell what else the selectors found.
        thorough: whether to wait until the page has settled, even if every field has a value.
        shown: whether the page was brought to the front for this visit. Then fields without a value get more time.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: as `visit_page`.
    """
    budget, world = TimeBudget(timeout_s), world or PageWorld(page)
    script = watch_script(structured=watch.structured, states=bool(watch.states))
    spec = {**reading_spec(watch), **waiting_spec(watch, stop), "explain": explain, "thorough": thorough}
    spec["shown"] = shown
    spec["address"], spec["refresh"], spec["bridge"] = address, refresh, _bridge(watch)
    documents = unanswered = lost = 0
    while documents < _MAX_DOCUMENTS and lost < _MAX_LOST:
        try:
            if spec["bridge"]:
                await within(budget.left_s(_STEP), _tell_variables(world, watch, spec["bridge"]), _STEP)
            left_s = budget.left_s(_STEP)
            spec["timeoutMs"] = with_margin(left_s) * 1000
            answer = await within(left_s, world.evaluate(script, spec), _STEP)
        except PlaywrightError as error:
            if "Execution context was destroyed" in error.message:
                lost, spec["refresh"] = lost + 1, ""
                continue
            raise translate(error, _STEP) from error
        later = answer.get("later") if isinstance(answer, Mapping) else None
        if later == "bridge":
            unanswered += 1
            spec["bridge"] = _bridge(watch) if unanswered < _MAX_UNANSWERED else ""
            later = "again"
        if later == "again":
            await asyncio.sleep(_LATER_S)
            continue
        if later == "shown" and not spec["shown"]:
            await _show(page, budget.left_s(_STEP))
            spec["shown"], spec["stalled"] = True, answer.get("stalled") is True
            continue
        seen = _sighting(answer, watch, page.url, status)
        if later == "moved" and not is_end(seen.url):
            documents += 1
            spec["address"], spec["refresh"] = seen.url, ""
            continue
        return seen
    raise VisitFailed("the page moves from document to document and does not come to rest")


def _bridge(watch: Watch) -> str:
    """A random name for the event that asks for variables, so that no page knows it; empty if no variable is wanted."""
    return f"pagemill-{secrets.token_hex(8)}" if watch.variables else ""


async def _tell_variables(world: World, watch: Watch, bridge: str) -> None:
    await world.evaluate_in_page(variables_script(watch.variables), {"bridge": bridge, "chars": STATE_CHARS})


async def _show(page: Page, timeout_s: float) -> None:
    try:
        await within(timeout_s, page.bring_to_front(), _STEP)
    except PlaywrightError as error:
        raise translate(error, _STEP) from error


def with_margin(left_s: float) -> float:
    """How many of the remaining seconds the script in the page may wait; in the rest, its answer arrives."""
    return left_s - min(_MAX_MARGIN_S, left_s / 5)


def _sighting(answer: Any, watch: Watch, url: str, status: int | None) -> Sighting:
    """The answer as a sighting. Every value is checked, because the page's own scripts may have changed it."""
    if not isinstance(answer, Mapping):
        raise VisitFailed("the page answered with something else than a reading")
    own_status, own_url = answer.get("status"), answer.get("url")
    # The document's own status counts: since it was asked, the page may have moved on.
    if isinstance(own_status, int) and 100 <= own_status <= 599:
        status = own_status
    address = (own_url if isinstance(own_url, str) and own_url else url)[:MAX_URL]
    seen = sighting_of(answer, watch, status, address)
    if seen is None:
        raise VisitFailed("the page answered with something else than a reading")
    return Sighting(status, address) if watch.is_settled_by(status) else seen
