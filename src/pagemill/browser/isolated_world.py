"""An isolated world for the scripts that read a page: it shares the page's document and nothing else.

What the page's scripts replace, such as JavaScript's `Array.prototype`, changes only their own world. An isolated world
lasts as long as its document. Chromium returns the same world for the same name.
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
    """Runs scripts in one page where the page's own scripts cannot reach them."""

    def __init__(self, session: _Session, frame: str, crash: asyncio.Future[None] | None = None) -> None:
        """
        Args:
            session: of the page.
            frame: id of the main frame, which is also that of the page's target.
            crash: is done when the page has crashed; for a session that answers no calls then.
        """
        self._session = session if crash is None else _UntilCrash(session, crash)
        self._frame = frame

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """As `evaluate`, in an isolated world of the present document. Has no deadline."""
        return await evaluate(self._session, expression, arg, await self._context())

    async def evaluate_in_page(self, expression: str, arg: Any = None) -> Any:
        """As `evaluate`, in the page's own world."""
        return await evaluate(self._session, expression, arg)

    async def of_frame(self, element: str, arg: Any = None) -> IsolatedWorld | None:
        """The isolated world of the document in a frame, whatever its origin. Has no deadline.

        Args:
            element: a function that returns the frame's element.
            arg: its argument.

        Returns:
            `None` if that document is in a process of its own.
        """
        call = {
            "expression": _called(element, json.dumps(arg)),
            "contextId": await self._context(),
            "objectGroup": _NAME,
        }
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
    """A session whose calls end when the page has crashed."""

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
    """Calls a JavaScript function with one argument that JSON can carry, and returns its result.

    An expression that is no function is evaluated instead.

    Args:
        session: of a page.
        expression: the function.
        arg: its argument.
        context: where it runs; by default in the page's own world.

    Raises:
        PlaywrightError: the function threw, or its document went away: `Execution context was destroyed`.
    """
    call: dict[str, Any]
    if context is None:
        method, call = "Runtime.evaluate", {"expression": _called(expression, json.dumps(arg))}
    else:
        # The text is the same for every document, so that Chromium compiles it once for each process.
        function = f"function () {{ return {_called(expression, 'arguments[0]')}; }}"
        call = {"functionDeclaration": function, "arguments": [{"value": arg}], "executionContextId": context}
        method = "Runtime.callFunctionOn"
    try:
        answer = await session.send(method, {**call, "awaitPromise": True, "returnByValue": True})
    except PlaywrightError as error:
        raise _meant(error) from error
    if (details := answer.get("exceptionDetails")) is not None:
        thrown = details.get("exception", {}).get("description") or details.get("text", "")
        raise PlaywrightError(f"Page.evaluate: {thrown}")
    return answer["result"].get("value")


def _called(expression: str, arg: str) -> str:
    """JavaScript for the call. `arg` is JavaScript, too."""
    return f'((value) => typeof value === "function" ? value({arg}) : value)(({expression}))'


def _meant(error: PlaywrightError) -> PlaywrightError:
    """The error with the message that a page's own `evaluate` would have."""
    if _CONTEXT_GONE.search(error.message):
        return PlaywrightError("Page.evaluate: Execution context was destroyed")
    return PlaywrightError(_PROTOCOL.sub("Page.evaluate: ", error.message))
