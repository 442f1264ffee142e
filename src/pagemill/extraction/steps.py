"""Does a platform's `steps` in a page before it is read, and notes what came of each.

A step is tried again and again from Python until its time is over: a script that waits in the page would be lost with
its document. If a step leads to another document, the next one begins there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from pagemill.config.reading.steps import PageStep
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, StepFailed, VisitFailed
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.page_reader import with_margin
from pagemill.extraction.page_spec import words_of, words_pattern
from pagemill.extraction.script_world import PageWorld
from pagemill.extraction.scripts.step_script import STEP_SCRIPT, WHERE_SCRIPT
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.model import StepTold
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

_PAUSE_S = 0.05
_LATER_PAUSE_S = 0.15
_QUICK_S = 1.0
"""After this time a step is tried less often."""
_LOADING_S = 5.0
"""How long a document may load before the time of a step begins: until then, many pages react to nothing. A document
that a step leads to also has at least this long to come."""
_FRAMES_S = 0.1
"""In this time a page that is shown draws some frames. Only then does it know what is in view."""
_QUIET_ROUNDS = 5
"""How many rounds without a change end the scrolling: what a page loads once it is seen comes a moment later."""
_MAX_CAUSE = 200
_LOOKING = frozenset({"wait_for", "reload_unless"})
_MAY_LEAD_AWAY = frozenset({"dismiss", "click", "fill", "press", "run"})
_KEY_CODES = {
    "Backspace": 8,
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    "Space": 32,
    "PageUp": 33,
    "PageDown": 34,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "Delete": 46,
}


class StepsTaken:
    """Does the steps of one visit."""

    def __init__(self, page: Page, visit: Visit, budget: TimeBudget) -> None:
        self._page = page
        self._visit = visit
        self._budget = budget
        self._world = visit.world or PageWorld(page)
        self._loaded: float | None = None
        self.told: list[StepTold] = []
        """What came of the finished steps."""

    async def take(self, steps: tuple[PageStep, ...]) -> None:
        """Does the steps in their order, in a page that has navigated. It brings the page to the front.

        Raises:
            StepFailed: one of them could not be done within its time.
            DeadlineExceeded, VisitFailed, VisitRefused, PageLost: as `page_reader.visit_page`.
        """
        if not steps:
            return
        try:
            # Hidden pages draw no frames and have slow clocks.
            await within(self._budget.left_s("showing the page"), self._page.bring_to_front(), "showing the page")
        except PlaywrightError as error:
            raise translate(error, "showing the page") from error
        for number, step in enumerate(steps, 1):
            started_s = monotonic()
            try:
                outcome = await self._take(step)
            except _NotDone as error:
                if step.kind == "dismiss":
                    self.told.append(StepTold(str(step), str(error), _ms_since(started_s)))
                    continue
                before = [str(one) for one in self.told]
                self.told.append(StepTold(str(step), str(error), _ms_since(started_s)))
                raise StepFailed(f"step {number} ({step}): {error}", before) from error.__cause__
            self.told.append(StepTold(str(step), outcome, _ms_since(started_s)))

    async def _take(self, step: PageStep) -> str:
        spec = _spec(step)
        if step.kind in _LOOKING:
            answer = await self._try(step, spec)
            if answer is not None and answer["done"]:
                return str(answer["why"])
        await self._load(step)
        time = TimeBudget(min(step.within_s, with_margin(self._left_s(step))))
        match step.kind:
            case "run":
                assert step.run is not None
                return await self._run(step, step.run.script, time)
            case "scroll":
                assert step.scroll is not None
                return await (
                    self._scroll_on(step, spec, time) if step.scroll.to == "end" else self._scroll_to(step, spec, time)
                )
            case "reload_unless":
                return await self._reload_unless(step, spec, time)
        answer = await self._until_done(step, spec, time)
        if not answer["done"]:
            raise _NotDone(_too_late(answer, step))
        led = await self._follow(step, answer["origin"]) if step.kind in _MAY_LEAD_AWAY else ""
        return str(answer["why"]) + led

    async def _until_done(self, step: PageStep, spec: dict[str, Any], time: TimeBudget) -> Mapping[str, Any]:
        """The answer of the try that succeeded, or of the last one."""
        started_s, last = monotonic(), _NOT_THERE
        while True:
            answer = await self._try(step, spec)
            last = answer or last
            if last["done"] or not time.has_left(_PAUSE_S):
                return last
            await asyncio.sleep(_PAUSE_S if monotonic() - started_s < _QUICK_S else _LATER_PAUSE_S)

    async def _scroll_to(self, step: PageStep, spec: dict[str, Any], time: TimeBudget) -> str:
        """Scrolls until the element is in view and stays there: what is above it may still grow."""
        quiet, last = 0, ""
        while True:
            answer = await self._until_done(step, spec, time)
            if not answer["done"]:
                raise _NotDone(_too_late(answer, step))
            quiet = quiet + 1 if answer["end"] and answer["mark"] == last else 0
            if quiet >= _QUIET_ROUNDS or not time.has_left(_FRAMES_S):
                return f"in view at {answer['at']} px"
            last = answer["mark"]
            await asyncio.sleep(_FRAMES_S)

    async def _scroll_on(self, step: PageStep, spec: dict[str, Any], time: TimeBudget) -> str:
        """Scrolls down by one window at a time, so that every part of the page has been in view."""
        at, quiet, last = 0, 0, ""
        while time.has_left(_FRAMES_S):
            answer = await self._try(step, spec)
            if answer is not None:
                quiet = quiet + 1 if answer["end"] and answer["mark"] == last else 0
                at, last = answer["at"], answer["mark"]
            if quiet >= _QUIET_ROUNDS:
                return f"at the end, {at} px"
            await asyncio.sleep(_FRAMES_S if quiet else _PAUSE_S)
        return f"stopped at {at} px, where its time was over and the page was not"

    async def _reload_unless(self, step: PageStep, spec: dict[str, Any], time: TimeBudget) -> str:
        if (await self._until_done(step, spec, time))["done"]:
            return "was there"
        await navigate(self._page, self._visit.url, self._left_s(step))
        await self._load(step)
        time = TimeBudget(min(step.within_s, with_margin(self._left_s(step))))
        if (await self._until_done(step, spec, time))["done"]:
            return "was there after the page was loaded again"
        raise _NotDone("was not there after the page was loaded again either")

    async def _run(self, step: PageStep, script: str, time: TimeBudget) -> str:
        where = await self._where(step)
        body = f"async () => {{ {script}\n }}"
        try:
            await within(time.left_s(str(step)), self._world.evaluate_in_page(body), str(step))
        except DeadlineExceeded as error:
            raise _NotDone(f"did not end within {step.within_s * 1000:.0f} ms") from error
        except PlaywrightError as error:
            if "Execution context was destroyed" not in error.message:
                raise _meant(error, step) from error
        return "ran" + ("" if where is None else await self._follow(step, where["origin"]))

    async def _load(self, step: PageStep) -> None:
        """Waits until the document has loaded, at most `_LOADING_S`, and only once for each document."""
        until_s = monotonic() + _LOADING_S
        while True:
            where = await self._where(step)
            if where is not None and (where["loaded"] or where["origin"] == self._loaded or monotonic() >= until_s):
                self._loaded = where["origin"]
                return
            await asyncio.sleep(min(_PAUSE_S, self._left_s(step)))

    async def _follow(self, step: PageStep, origin: float) -> str:
        """Waits for the document that a step leads to, if it leads to one."""
        time = TimeBudget(min(max(step.within_s, _LOADING_S), with_margin(self._left_s(step))))
        try:
            while True:
                await asyncio.sleep(_PAUSE_S)
                # Chromium answers nothing while a document is on its way.
                where = await within(time.left_s(str(step)), self._where(step), str(step))
                if where is not None and where["origin"] != origin:
                    return ", which led to another document"
                if where is not None and not where["leaving"]:
                    return ""
        except DeadlineExceeded as error:
            raise _NotDone("led to a document that did not come") from error

    async def _where(self, step: PageStep) -> Mapping[str, Any] | None:
        return await self._ask(step, WHERE_SCRIPT, None, ("origin", "leaving", "loaded"))

    async def _try(self, step: PageStep, spec: dict[str, Any]) -> Mapping[str, Any] | None:
        return await self._ask(step, STEP_SCRIPT, spec, ("done", "why", "origin", "at", "end", "mark"))

    async def _ask(self, step: PageStep, script: str, spec: Any, keys: tuple[str, ...]) -> Mapping[str, Any] | None:
        """The page's answer; `None` if its document went away first, so that nothing was done."""
        left_s = self._left_s(step)
        try:
            answer = await within(left_s, self._world.evaluate(script, spec), str(step))
        except PlaywrightError as error:
            if "Execution context was destroyed" in error.message:
                return None
            raise _meant(error, step) from error
        if not isinstance(answer, Mapping) or any(key not in answer for key in keys):
            raise _NotDone("the page answered with something else than what was done")
        return answer

    def _left_s(self, step: PageStep) -> float:
        return self._budget.left_s(str(step))


class _NotDone(Exception):
    """A step could not be done; the message says why."""


_NOT_THERE: Mapping[str, Any] = {"done": False, "why": "no document was there"}


def _too_late(answer: Mapping[str, Any], step: PageStep) -> str:
    why, limit = str(answer["why"]), f"{step.within_s * 1000:.0f} ms"
    return f"{why}, for {limit}" if "," in why else f"{why} within {limit}"


def _meant(error: PlaywrightError, step: PageStep) -> Exception:
    meant = translate(error, str(step))
    return _NotDone(f"failed: {str(meant)[:_MAX_CAUSE]}") if type(meant) is VisitFailed else meant


def _spec(step: PageStep) -> dict[str, Any]:
    """What the script needs to know of a step."""
    spec: dict[str, Any] = {"kind": step.kind, "selector": None, "text": "", "key": "", "code": "", "keyCode": 0}
    if (
        element := step.dismiss or step.click or step.reload_unless or step.fill or step.press or step.wait_for
    ) is not None:
        spec["selector"] = element.selector
    if step.fill is not None:
        spec["text"] = step.fill.text
    if step.wait_for is not None and step.wait_for.text is not None:
        spec["pattern"], spec["words"] = words_pattern(step.wait_for.text), words_of(step.wait_for.text)
    if step.scroll is not None and step.scroll.to != "end":
        spec["selector"] = step.scroll.to
    if step.press is not None:
        key = step.press.key
        spec["key"] = " " if key == "Space" else key
        spec["code"] = key if key in _KEY_CODES else f"Key{key.upper()}" if key.isalpha() else ""
        spec["keyCode"] = _KEY_CODES.get(key, ord(key[0].upper()))
    return spec


def _ms_since(started_s: float) -> int:
    return round((monotonic() - started_s) * 1000)
