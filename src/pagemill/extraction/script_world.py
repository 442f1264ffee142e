"""Where the scripts that read a page run. The real thing is `browser.isolated_world`, which stands beside this folder
and is not imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from playwright.async_api import Page


class World(Protocol):
    """A world of a page's present document. Calls are not bounded in time, and raise Playwright's `Error`.

    A protocol because there are two: the `PageWorld` below and the one beside this folder.
    """

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Calls a function out of reach of the page's own scripts."""
        ...

    async def evaluate_in_page(self, expression: str, arg: Any = None) -> Any:
        """Calls a function among the page's own scripts, which may have replaced anything."""
        ...

    async def of_frame(self, element: str, arg: Any = None) -> Self | None:
        """A world of the document in a frame, whatever its origin is; `None` where it is out of reach. The function
        returns the frame's element."""
        ...


class PageWorld:
    """The page's own world, for a page that nobody has made another one for."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """See `World.evaluate`."""
        return await self._page.evaluate(expression, arg)

    evaluate_in_page = evaluate

    async def of_frame(self, element: str, arg: Any = None) -> None:
        """See `World.of_frame`: such a page has none."""
