"""A world of its own for the scripts that read a page: its document is the page's, and nothing else is.

What the page's scripts replace, such as JavaScript's `Array.prototype`, they replace for themselves. A world lasts as
long as its document; Chromium gives the same one for the same name.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Protocol

from pagemill.playwright_errors import PlaywrightError

_NAME = "pagemill"
_CONTEXT_GONE = re.compile(
    r"Inspected target navigated or closed|Execution context was destroyed|Cannot find (default execution )?context"
    r"|Promise was collected|uniqueContextId not found|No frame for given id found"
)
_PROTOCOL = re.compile(r"\A(?:\w+\.send: )?Protocol error \([\w.]+\): ")


class _Session(Protocol):
    """A protocol because there are three: Chromium's own, Playwright's, and `_UntilCrash`."""

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]: ...


class IsolatedWorld:
    """Runs scripts in one page, out of reach of its own."""

    def __init__(self, session: _Session, frame: str, crash: asyncio.Future[None] | None = None) -> None:
        """
        Args:
            session: of the page.
            frame: id of its main frame, which is that of its target.
            crash: done when the page has crashed, for a session whose calls are not answered then.
        """
        self._session = session if crash is None else _UntilCrash(session, crash)
        self._frame = frame

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """As `evaluate`, in the world of the document that is there now; not bounded in time."""
        return await evaluate(self._session, expression, arg, await self._context())

    async def evaluate_in_page(self, expression: str, arg: Any = None) -> Any:
        """As `evaluate`, in the page's own world."""
        return await evaluate(self._session, expression, arg)

    async def of_frame(self, element: str, arg: Any = None) -> IsolatedWorld | None:
        """The world of the document in a frame, whatever its origin is; not bounded in time.

        Args:
            element: a function that returns the frame's element.
            arg: its argument.

        Returns:
            `None` where that document lives in a process of its own.
        """
        call = {"expression": _called(element, arg), "contextId": await self._context(), "objectGroup": _NAME}
        try:
            found = (await self._session.send("Runtime.evaluate", call))["result"]
            frame = (await self._session.send("DOM.describeNode", {"objectId": found["objectId"]}))["node"]["frameId"]
            await self._session.send("Runtime.releaseObjectGroup", {"objectGroup": _NAME})
        except KeyError as error:
            raise PlaywrightError("Page.evaluate: there is no such frame") from error
        except PlaywrightError as error:
            raise _meant(error) from error
        world = IsolatedWorld(self._session, frame)
        try:
            await world._context()
        except PlaywrightError as error:
            if "context was destroyed" in error.message:
                return None
            raise
        return world

    async def _context(self) -> int:
        try:
            asked = {"frameId": self._frame, "worldName": _NAME}
            return int((await self._session.send("Page.createIsolatedWorld", asked))["executionContextId"])
        except PlaywrightError as error:
            raise _meant(error) from error


class _UntilCrash:
    """A session whose calls end when its page has crashed."""

    def __init__(self, session: _Session, crash: asyncio.Future[None]) -> None:
        self._session = session
        self._crash = crash

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        call = asyncio.ensure_future(self._session.send(method, params))
        either: set[asyncio.Future[Any]] = {call, self._crash}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise PlaywrightError("Target crashed")
            return call.result()
        finally:
            call.cancel()


async def evaluate(session: _Session, expression: str, arg: Any = None, context: int | None = None) -> Any:
    """Calls a JavaScript function with one argument that JSON can carry, and returns what it comes to.

    An expression that is no function is its own outcome.

    Args:
        session: of a page.
        expression: the function.
        arg: its argument.
        context: where it is to run; the page's own world unless told.

    Raises:
        PlaywrightError: the function threw, or its document went away: `Execution context was destroyed`.
    """
    call: dict[str, Any] = {"expression": _called(expression, arg), "awaitPromise": True, "returnByValue": True}
    if context is not None:
        call["contextId"] = context
    try:
        answer = await session.send("Runtime.evaluate", call)
    except PlaywrightError as error:
        raise _meant(error) from error
    if (details := answer.get("exceptionDetails")) is not None:
        thrown = details.get("exception", {}).get("description") or details.get("text", "")
        raise PlaywrightError(f"Page.evaluate: {thrown}")
    return answer["result"].get("value")


def _called(expression: str, arg: Any) -> str:
    return f'((value) => typeof value === "function" ? value({json.dumps(arg)}) : value)(({expression}))'


def _meant(error: PlaywrightError) -> PlaywrightError:
    """The error in the words that a page's own `evaluate` has for it."""
    if _CONTEXT_GONE.search(error.message):
        return PlaywrightError("Page.evaluate: Execution context was destroyed")
    return PlaywrightError(_PROTOCOL.sub("Page.evaluate: ", error.message))
