"""A world of its own for the scripts that read a page: its document is the page's, and nothing else is.

What the page's scripts replace, such as `Array.prototype` or `Promise`, they replace for themselves. A world lasts as
long as its document; Chromium gives the same one for the same name.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Protocol

from playwright.async_api import Error as PlaywrightError

_NAME = "pagemill"
_CONTEXT_GONE = re.compile(
    r"Inspected target navigated or closed|Execution context was destroyed|Cannot find (default execution )?context"
    r"|Promise was collected|uniqueContextId not found|No frame for given id found"
)
_PROTOCOL = re.compile(r"\A(?:\w+\.send: )?Protocol error \([\w.]+\): ")


class _Session(Protocol):
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
        try:
            asked = {"frameId": self._frame, "worldName": _NAME}
            world = await self._session.send("Page.createIsolatedWorld", asked)
        except PlaywrightError as error:
            raise _meant(error) from error
        return await evaluate(self._session, expression, arg, world["executionContextId"])

    async def evaluate_in_page(self, expression: str, arg: Any = None) -> Any:
        """As `evaluate`, in the page's own world."""
        return await evaluate(self._session, expression, arg)


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
    called = f'((value) => typeof value === "function" ? value({json.dumps(arg)}) : value)(({expression}))'
    call: dict[str, Any] = {"expression": called, "awaitPromise": True, "returnByValue": True}
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


def _meant(error: PlaywrightError) -> PlaywrightError:
    """The error in the words that a page's own `evaluate` has for it."""
    if _CONTEXT_GONE.search(error.message):
        return PlaywrightError("Page.evaluate: Execution context was destroyed")
    return PlaywrightError(_PROTOCOL.sub("Page.evaluate: ", error.message))
