"""Deadlines for the calls that open and close things, and the errors that the pool gets when they fail."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable
from typing import Any

from pagemill.deadlines import within
from pagemill.errors import BrowserUnavailable, DeadlineExceeded, PageLost, PagemillError
from pagemill.playwright_errors import PlaywrightError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_ANSWER_S = 3.0
_MIB = 1024 * 1024


async def started(call: Awaitable[Any], seconds: float, what: str) -> Any:
    """The outcome of a call that is needed to have a browser at all.

    Raises:
        BrowserUnavailable: it failed, or took longer than `seconds`.
    """
    return await _outcome(call, seconds, what, BrowserUnavailable)


async def answered(call: Awaitable[Any], seconds: float, what: str) -> Any:
    """The outcome of a call that a living browser answers.

    Raises:
        PageLost: it failed, or took longer than `seconds`.
    """
    return await _outcome(call, seconds, what, PageLost)


async def _outcome(call: Awaitable[Any], seconds: float, what: str, failure: type[PagemillError]) -> Any:
    try:
        return await within(seconds, call, what)
    except PlaywrightError as error:
        first_line = str(error).partition("\n")[0]
        raise failure(f"cannot {what}: {first_line}") from error
    except DeadlineExceeded as error:
        raise failure(str(error)) from error


async def closed(call: Awaitable[Any], seconds: float, what: str) -> bool:
    """Whether a call that closes something ended in time. Something that was gone already counts as closed."""
    try:
        await within(seconds, call, what)
    except DeadlineExceeded as error:
        log.warning(events.TIMEOUT, what=error.what, seconds=error.seconds)
        return False
    except PlaywrightError:
        pass
    return True


async def gives_answer(call: Awaitable[Any], what: str) -> bool:
    """Whether a question is answered in time. A browser that is gone counts as one that answers."""
    try:
        await within(_ANSWER_S, call, what)
    except DeadlineExceeded:
        return False
    except PlaywrightError:
        pass
    return True


async def collected(collection: Awaitable[Any]) -> None:
    """Waits for a page's garbage collection. If it fails or is late, that does no harm."""
    with contextlib.suppress(PlaywrightError, DeadlineExceeded):
        await within(_ANSWER_S, collection, "collect a page's garbage")


async def heap_mb(usage: Awaitable[dict[str, Any]]) -> float | None:
    """A page's JavaScript heap in MB, with the DOM objects and buffers that it holds; `None` without an answer.

    Args:
        usage: the call of `Runtime.getHeapUsage`.
    """
    try:
        sizes = await within(_ANSWER_S, usage, "measure a page's heap")
    except (PlaywrightError, DeadlineExceeded):
        return None
    return sum(float(sizes.get(part, 0)) for part in ("usedSize", "embedderHeapUsedSize", "backingStorageSize")) / _MIB
