"""A slot: the pool's place for one page, and the changes that it may go through. State only, no I/O."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pagemill.browser.open_state import Generation, OpenContext, OpenPage
from pagemill.browser.rotation import RotationLevel, Wear
from pagemill.config.platform import Platform


@dataclass(eq=False, slots=True)
class Successor:
    """The next page, or context and page, of a slot: it is being opened, or is open and stands by."""

    task: asyncio.Task[tuple[OpenContext, OpenPage]]
    level: RotationLevel
    """`PAGE`: a new page in the slot's context; `CONTEXT`: both are new."""

    @property
    def is_open(self) -> bool:
        """Whether it is open and stands by."""
        return self.task.done() and not self.task.cancelled() and self.task.exception() is None


class Slot:
    """The place for one page. It belongs to one platform and one generation for all its life.

    A slot is empty until a successor is expected (`expect`) and put in place (`furnish`). Then it is leased and
    released in turn. A worn page is taken out and replaced in the same context; a worn context is taken out with its
    page, which leaves the slot empty. A successor may be expected while the old page is still there, and waits beside
    it. `end` ends the slot.
    """

    __slots__ = (
        "__weakref__",
        "context",
        "generation",
        "has_ended",
        "is_leased",
        "is_wanted",
        "page",
        "platform",
        "released_s",
        "successor",
    )

    def __init__(self, platform: Platform, generation: Generation) -> None:
        self.platform = platform
        self.generation = generation
        self.context: OpenContext | None = None
        self.page: OpenPage | None = None
        self.successor: Successor | None = None
        self.is_leased = False
        self.released_s: float | None = None
        """When its last lease ended."""
        self.is_wanted = False
        """Whether its present visit came without a pause, so that the next one will soon follow."""
        self.has_ended = False

    @property
    def is_empty(self) -> bool:
        """Whether it has no context and expects none."""
        return self.context is None and self.successor is None

    @property
    def is_ready(self) -> bool:
        """Whether its next lease finds an open page."""
        return self.page is not None or (self.successor is not None and self.successor.is_open)

    @property
    def lacks_a_page(self) -> bool:
        """Whether it has no page, and none is being opened."""
        return self.page is None and self.successor is None

    @property
    def context_uses(self) -> int:
        """How often the context was used."""
        return 0 if self.context is None else self.context.wear.uses

    @property
    def is_opening(self) -> bool:
        """Whether a page or context is being opened for it. Until that ends, its context cannot be closed."""
        return self.successor is not None and not self.successor.task.done()

    @property
    def is_condemned(self) -> bool:
        """Whether the context must not be used again."""
        return self.context is not None and bool(self.context.wear.bad)

    @property
    def is_unused(self) -> bool:
        """Whether nothing was visited in its context, or in the one that is expected."""
        return self.context is None or not (self.context.wear.uses or self.context.wear.light)

    def wears(self) -> dict[RotationLevel, Wear]:
        """The wear of everything that the slot's page depends on."""
        assert self.context is not None and self.page is not None, "it has no page"
        wears = {
            RotationLevel.PAGE: self.page.wear,
            RotationLevel.CONTEXT: self.context.wear,
            RotationLevel.BROWSER: self.generation.wear,
        }
        driver = self.generation.driver
        return wears if driver.handle.native is None else {**wears, RotationLevel.DRIVER: driver.wear}

    def expect(self, successor: Successor) -> None:
        """Notes that a successor is being opened for it."""
        assert not self.has_ended, "it has ended"
        assert self.successor is None, "there is a successor already"
        assert successor.level is RotationLevel.CONTEXT or self.context is not None, (
            "there is no context for another page"
        )
        self.successor = successor

    def furnish(self) -> None:
        """Puts the opened successor in its place.

        Raises:
            PageLost: it could not be opened.
        """
        assert not self.has_ended and not self.is_leased, "it is not free"
        assert self.page is None, "there is a page already"
        assert self.successor is not None, "there is no successor"
        self.context, self.page = self.successor.task.result()
        self.successor = None

    def lease(self) -> None:
        """Marks its page as leased."""
        assert not self.has_ended and not self.is_leased, "it is not free"
        assert self.page is not None, "it has no page"
        self.is_leased = True

    def release(self, now_s: float, *, failed: bool, light: bool, bad: str = "", bad_context: str = "") -> None:
        """Ends the lease and counts the use. `bad` and `bad_context` say why page or context must not be used again."""
        assert self.is_leased, "it is not leased"
        self.is_leased = False
        self.released_s = now_s
        wears = self.wears()
        for wear in wears.values():
            wear.use(failed=failed, light=light)
        wears[RotationLevel.PAGE].bad = bad or wears[RotationLevel.PAGE].bad
        wears[RotationLevel.CONTEXT].bad = wears[RotationLevel.CONTEXT].bad or bad_context

    def condemn(self, reason: str) -> None:
        """Notes that the context must not be used again after the present lease."""
        assert self.is_leased and self.context is not None, "it is not leased"
        self.context.wear.bad = self.context.wear.bad or reason

    def take_out(self, level: RotationLevel) -> tuple[OpenContext, OpenPage]:
        """Takes out the page, or the context with its page. The caller closes it.

        If the context is taken out, a successor page in it is dropped too, because closing the context closes it.
        """
        assert not self.has_ended and not self.is_leased, "it is at work, or has ended"
        context, page = self.context, self.page
        assert context is not None and page is not None, "it has no page"
        self.page = None
        if level is RotationLevel.CONTEXT:
            self.context = None
            if self.successor is not None and self.successor.level is RotationLevel.PAGE:
                self.successor = None
        return context, page

    def take_successor(self) -> Successor | None:
        """Takes out the successor. The caller closes it."""
        assert not self.is_opening, "it is being opened"
        successor, self.successor = self.successor, None
        return successor

    def end(self) -> tuple[OpenContext | None, Successor | None]:
        """Ends the slot. The caller closes what was in it and its successor."""
        assert not self.has_ended and not self.is_leased, "it is at work, or has ended"
        self.has_ended = True
        left = self.context, self.successor
        self.context = self.page = self.successor = None
        return left
