"""A slot: the pool's place for one page, and everything that may become of it. State only, no I/O."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pagemill.browser.open_state import Generation, OpenContext, OpenPage
from pagemill.browser.rotation import RotationLevel, Wear
from pagemill.config.platform import Platform


@dataclass(eq=False, slots=True)
class Successor:
    """What will stand in a slot next: being opened, or open and standing by."""

    task: asyncio.Task[tuple[OpenContext, OpenPage]]
    level: RotationLevel
    """`PAGE`: a new page in the slot's context; `CONTEXT`: both are new."""

    @property
    def is_open(self) -> bool:
        """Whether it stands by."""
        return self.task.done() and not self.task.cancelled() and self.task.exception() is None


class Slot:
    """The place for one page. It belongs to one platform and one generation for all its life.

    It is empty until a successor is expected and has been put in its place (`furnish`); then it is leased and released
    in turn. What is worn is taken out of it: the page, and another one comes in the same context; or the context with
    its page, and it is empty again. A successor may be expected while there is a page, and waits beside it. `end` ends
    the slot for good.
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
        """When its latest lease ended."""
        self.is_wanted = False
        """Whether the visit that is made in it came without a pause, so that another one will."""
        self.has_ended = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is or will be in it."""
        return self.context is None and self.successor is None

    @property
    def is_ready(self) -> bool:
        """Whether its next lease finds a page."""
        return self.page is not None or (self.successor is not None and self.successor.is_open)

    @property
    def lacks_a_page(self) -> bool:
        """Whether none is there, or is being opened."""
        return self.page is None and self.successor is None

    @property
    def context_uses(self) -> int:
        """How often its context was used."""
        return 0 if self.context is None else self.context.wear.uses

    @property
    def is_opening(self) -> bool:
        """Whether something is being opened in it at this moment: until then its context cannot go."""
        return self.successor is not None and not self.successor.task.done()

    @property
    def is_condemned(self) -> bool:
        """Whether its context must not be used again."""
        return self.context is not None and bool(self.context.wear.bad)

    @property
    def is_unused(self) -> bool:
        """Whether nothing has been visited in its context, or in the one that comes."""
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
        """What will stand in it next is being opened."""
        assert not self.has_ended, "it has ended"
        assert self.successor is None, "there is a successor already"
        assert successor.level is RotationLevel.CONTEXT or self.context is not None, (
            "there is no context for another page"
        )
        self.successor = successor

    def furnish(self) -> None:
        """Puts the successor, which is open, in its place.

        Raises:
            PageLost: it could not be opened.
        """
        assert not self.has_ended and not self.is_leased, "it is not free"
        assert self.page is None, "there is a page already"
        assert self.successor is not None, "there is no successor"
        self.context, self.page = self.successor.task.result()
        self.successor = None

    def lease(self) -> None:
        """Its page is somebody's now."""
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
        """Says that its context must not be used again once the lease has ended."""
        assert self.is_leased and self.context is not None, "it is not leased"
        self.context.wear.bad = self.context.wear.bad or reason

    def take_out(self, level: RotationLevel) -> tuple[OpenContext, OpenPage]:
        """Takes the page out, or the context with its page; whoever calls closes it.

        A successor that stands in a context that goes is closed with it.
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
        """Takes out what would have stood in it next; whoever calls closes it."""
        assert not self.is_opening, "it is being opened"
        successor, self.successor = self.successor, None
        return successor

    def end(self) -> tuple[OpenContext | None, Successor | None]:
        """Ends it for good; whoever calls closes what is or will be in it."""
        assert not self.has_ended and not self.is_leased, "it is at work, or has ended"
        self.has_ended = True
        left = self.context, self.successor
        self.context = self.page = self.successor = None
        return left
