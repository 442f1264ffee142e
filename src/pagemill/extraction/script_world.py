"""Where the scripts that read a page run. The real thing is `browser.isolated_world`, which stands beside this folder
and is not imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from playwright.async_api import Page


class World(Protocol):
    """A JavaScript world of a page's present document. Its calls have no time limit and raise Playwright's `Error`.

    A protocol because there are two: the `PageWorld` below and the one beside this folder.
    """

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Calls a function in a world that the page's own scripts cannot reach."""
        ...

    async def evaluate_in_page(self, expression: str, arg: Any = None) -> Any:
        """Calls a function in the page's own world, whose scripts may have replaced anything."""
        ...

    async def of_frame(self, element: str, arg: Any = None) -> Self | None:
        """A world of a frame's document, whatever its origin; `None` if it is out of reach. The function `element`
        returns the frame's element."""
        ...


class PageWorld:
    """The page's own world, for a page without an isolated world."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """See `World.evaluate`."""
        return await self._page.evaluate(expression, arg)

    evaluate_in_page = evaluate

    async def of_frame(self, element: str, arg: Any = None) -> None:
        """See `World.of_frame`: always `None` here."""
