"""Waits until a page shows what is looked for, and reads it, in one round trip per document.

This is what the built-in strategies share, and what a strategy of your own can build on (see `strategy`). It brings raw
text back; turning that into facts is `values`' and `json_path`'s.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.deadlines import within
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.scripts.variables_script import variables_script
from pagemill.extraction.scripts.watch_script import watch_script
from pagemill.extraction.sighting import Sighting, sighting_of
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.extraction.watch import MAX_URL, STATE_CHARS, Watch, reading_spec, waiting_spec
from pagemill.extraction.world import PageWorld, World

__all__ = ["Sighting", "Watch", "visit_page", "watch_page", "with_margin"]

_STEP = "waiting for the content"
_MAX_DOCUMENTS = 5
"""A page that moves on by itself more often than this does not come to rest."""
_MAX_LOST = 20
"""How often a document may go away while it is looked at; one that is on its way out may do so more than once."""
_MAX_MARGIN_S = 1.0
"""How long before Python's own deadline the page gives up, so that its answer still arrives."""
_LATER_S = 0.05
_MAX_UNANSWERED = 3
"""How often it is tried to ask a document for its variables; one that breaks events has none."""


async def visit_page(page: Page, visit: Visit, watch: Watch) -> Sighting:
    """Navigates, waits and reads, all within the visit's time.

    It leaves nothing behind in the page or on it. Cancellation passes through.

    Raises:
        DeadlineExceeded: the page did not start, or does not answer; it is of no further use then. A page that answers
            but does not show its content in time is no error: its sighting is not `ready`.
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
    """Waits and reads in the document that the page shows, and in those that it moves on to by itself.

    Args:
        page: a page that has navigated.
        watch: what to look for.
        timeout_s: for all of it.
        status: the document's HTTP status, for a page that does not know its own.
        stop: an event's name; dispatching it on the document (`STOP_SCRIPT`) ends the wait at once.
        world: where to read it; the page's own unless told.
        address: where the document should be; empty if it does not matter. Where it is elsewhere, `is_end` is asked.
        is_end: whether a document at that address need not be waited for.
        refresh: the header of that name that came with the document; `2;url=/somewhere` leads there after 2 s.
        explain: whether to tell what else fitted.
        thorough: whether the page must have settled, even where everything says something.
        shown: whether it was brought to the front for this visit: then a field that is silent is given time to settle.

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
    """A name that no page guesses; empty where no variable is asked for."""
    return f"pagemill-{secrets.token_hex(8)}" if watch.variables else ""


async def _tell_variables(world: World, watch: Watch, bridge: str) -> None:
    await world.evaluate_in_page(variables_script(watch.variables), {"bridge": bridge, "chars": STATE_CHARS})


async def _show(page: Page, timeout_s: float) -> None:
    try:
        await within(timeout_s, page.bring_to_front(), _STEP)
    except PlaywrightError as error:
        raise translate(error, _STEP) from error


def with_margin(left_s: float) -> float:
    """How long a page waits of the time that is left."""
    return left_s - min(_MAX_MARGIN_S, left_s / 5)


def _sighting(answer: Any, watch: Watch, url: str, status: int | None) -> Sighting:
    """Takes nothing on trust: the script ran next to the page's own."""
    if not isinstance(answer, Mapping):
        raise VisitFailed("the page answered with something else than a reading")
    own_status, own_url = answer.get("status"), answer.get("url")
    # The page's own word, because it may have moved on before it was looked at.
    if isinstance(own_status, int) and 100 <= own_status <= 599:
        status = own_status
    address = (own_url if isinstance(own_url, str) and own_url else url)[:MAX_URL]
    seen = sighting_of(answer, watch, status, address)
    if seen is None:
        raise VisitFailed("the page answered with something else than a reading")
    return Sighting(status, address) if watch.is_settled_by(status) else seen
