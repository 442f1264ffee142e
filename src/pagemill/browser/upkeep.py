"""Replaces pages, contexts, browsers and drivers when `rotation` says so, and opens their successors in time.

It decides when; `slot_rotation` and `generations` do the opening and closing.
"""

from __future__ import annotations

from pagemill.browser.clock import Clock
from pagemill.browser.generations import Generations
from pagemill.browser.rotation import RotationLevel, RotationOrder, WearLimits, decide_rotation, last_use
from pagemill.browser.slot import Slot
from pagemill.browser.slot_rotation import SlotRotation
from pagemill.config.platform import Platform, Rotation
from pagemill.config.settings import PoolSettings

_PAUSE_S = 0.1
"""A page that is leased again within this time came back without a pause."""
_BIG_PAGES = 2
"""After so many pages were replaced because of their size, the context is replaced with the page."""


class Upkeep:
    """Replaces what is worn."""

    def __init__(
        self,
        settings: PoolSettings,
        page_max_mb: float,
        clock: Clock,
        generations: Generations,
        slot_rotation: SlotRotation,
    ) -> None:
        self._settings = settings
        self._page_max_mb = page_max_mb
        self._clock = clock
        self._generations = generations
        self._slot_rotation = slot_rotation
        self.saves_memory = False
        """Whether successors are opened only after the old page or context is closed."""

    def before_use(self, slot: Slot, places: int, *, others_wait: bool) -> None:
        """Opens the successor when the last use of a page begins and the next visit will come soon: others are waiting,
        or the page came back without a pause. Otherwise the successor is opened when it is needed."""
        released_s, limits, wears = slot.released_s, self._limits(slot.platform, places), slot.wears()
        slot.is_wanted = others_wait or (released_s is not None and self._clock.now_s() - released_s < _PAUSE_S)
        if self.saves_memory or slot.successor is not None or not slot.is_wanted:
            return
        if last_use(wears[RotationLevel.PAGE], limits[RotationLevel.PAGE]):
            new_context = last_use(wears[RotationLevel.CONTEXT], limits[RotationLevel.CONTEXT])
            self._slot_rotation.open(slot, RotationLevel.CONTEXT if new_context else RotationLevel.PAGE)

    def after_use(self, slot: Slot, places: int, *, light: bool, page_is_needed: bool) -> None:
        """Replaces what is due: the browser, the page or the context. If no successor stands by, one is opened only if
        the page is needed, and not at all while memory is short."""
        self._replace_browser(slot, places)
        if slot.generation.retired:
            return
        order = self._order(slot, places, RotationLevel.PAGE, RotationLevel.CONTEXT)
        if order is None:
            if not light:
                self._slot_rotation.collect_if_due(slot)
            return
        assert slot.context is not None
        slot.context.big_pages += order.reason == "size"
        level = RotationLevel.CONTEXT if slot.context.big_pages >= _BIG_PAGES else order.level
        self._slot_rotation.rotate(slot, level, order.reason)
        if slot.successor is None and page_is_needed and not self.saves_memory:
            self._slot_rotation.open(slot, level)

    def _replace_browser(self, slot: Slot, places: int) -> None:
        generation, order = slot.generation, self._order(slot, places, RotationLevel.BROWSER, RotationLevel.DRIVER)
        if generation.retired or order is None:
            return
        if order.reason == "errors":
            self._generations.suspect(generation, order.reason)
        elif self.saves_memory:
            self._generations.retire(generation, order.level, order.reason)
        else:
            self._generations.prepare(generation, order.level, order.reason)

    def _order(self, slot: Slot, places: int, *levels: RotationLevel) -> RotationOrder | None:
        wears = {level: wear for level, wear in slot.wears().items() if level in levels}
        return decide_rotation(wears, self._limits(slot.platform, places), self._clock.now_s())

    def _limits(self, platform: Platform, places: int) -> dict[RotationLevel, WearLimits]:
        settings = self._settings
        # Letting Chromium clear a context takes about as long (some 10 ms of a visit), and leaves window names,
        # passwords and connections behind.
        rotation = platform.rotation if platform.visitor.session == "keep" else Rotation(page=1, context=1)
        assert rotation.page != "auto" and rotation.context != "auto", "auto is resolved before the pool"
        in_a_row = settings.max_errors * max(1, places)
        return {
            RotationLevel.PAGE: WearLimits(rotation.page, settings.max_errors, self._page_max_mb),
            RotationLevel.CONTEXT: WearLimits(rotation.context, settings.max_errors),
            RotationLevel.BROWSER: WearLimits(settings.browser_max_uses, in_a_row, settings.browser_max_mb),
            RotationLevel.DRIVER: WearLimits(settings.driver_max_uses, in_a_row, settings.driver_max_mb),
        }
