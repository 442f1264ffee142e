"""Frames of other origins. A script in the page's document cannot look into them, so each is read by its own script.

Only documents of the platform's hosts are read, and only in frames that share the page's process. What is read replaces
the places that `page_reader` could not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pagemill.config.hosts import HostRules
from pagemill.deadlines import within
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import translate
from pagemill.extraction.page_reader import watch_page
from pagemill.extraction.page_spec import Want, Watch, reading_spec
from pagemill.extraction.script_world import World
from pagemill.extraction.scripts.page_script import ELEMENTS
from pagemill.extraction.sighting import RawTexts, Sighting
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

OTHER_ORIGIN, NOT_LOADED, OF_NO_HOST, APART = 2, 3, 4, 5
"""Why a frame could not be read; the first two are `shadow_script`'s numbers."""

_STEP = "waiting for a frame"
_WAIT_S = 5.0
"""How long to wait for the content of a frame, once its page is there."""
_LEAST_S = 0.2
"""The shortest time in which it is worth trying to read a frame."""
_IN_PAGE = "about:srcdoc"
"""The address of a document that is written in the page itself."""
_ELEMENT = f"(spec) => {{ const page = document; {ELEMENTS} return firstIn(page, spec.frame); }}"
_IS_SEEN = f"(spec) => {{ const page = document; {ELEMENTS} return isFrameSeen(spec.frame); }}"


@dataclass(frozen=True, slots=True)
class _Part:
    """What is read in one frame, as a watch of its own, and the positions that it has in the page's watch."""

    watch: Watch
    places: tuple[int, ...]
    searches: tuple[int, ...]


async def with_frames(
    page: Page, visit: Visit, watch: Watch, seen: Sighting, budget: TimeBudget, rules: HostRules
) -> Sighting:
    """Adds what stands in frames of other origins to a sighting.

    Args:
        page: the page that was seen.
        visit: the visit; without a `world` no frame is read.
        watch: what was looked for.
        seen: the sighting. Frames are read only if it is `ready`.
        budget: the time of the visit.
        rules: the hosts whose documents may be read.

    Raises:
        DeadlineExceeded, PageLost: as `page_reader.watch_page`.
    """
    lost = [position for (kind, position), why in seen.cut.items() if (kind, why) == ("frame", OTHER_ORIGIN)]
    if visit.world is None or not seen.ready:
        return seen
    for frame in dict.fromkeys(watch.places[position].frame for position in lost):
        part = _part_of(watch, frame)
        inner, is_drawn = await _read(page, visit.world, frame, part.watch, budget, explain=visit.explain)
        if isinstance(inner, Sighting) and inner.url != _IN_PAGE and rules.refusal(inner.url) is not None:
            inner = OF_NO_HOST
        seen = _failed(seen, part, inner) if isinstance(inner, int) else _merged(seen, part, inner, is_drawn=is_drawn)
    return seen


async def _read(
    page: Page, world: World, frame: str, watch: Watch, budget: TimeBudget, *, explain: bool
) -> tuple[Sighting | int, bool]:
    """What stands in a frame, or the number of why it could not be read; and whether a visitor sees the frame."""
    spec: dict[str, Any] = {**reading_spec(Watch()), "frame": frame}
    if not budget.has_left(_LEAST_S):
        return NOT_LOADED, False
    try:
        is_drawn = await within(budget.left_s(_STEP), world.evaluate(_IS_SEEN, spec), _STEP) is True
        inside = await within(budget.left_s(_STEP), world.of_frame(_ELEMENT, spec), _STEP)
        if inside is None:
            return APART, False
        timeout_s = min(_WAIT_S, budget.left_s(_STEP))
        inner = await watch_page(page, watch, timeout_s, None, world=inside, explain=explain)
    except VisitFailed:  # it moves from document to document, or is gone
        return NOT_LOADED, False
    except PlaywrightError as error:
        meant = translate(error, _STEP)
        if isinstance(meant, VisitFailed):
            return NOT_LOADED, False
        raise meant from error
    return (inner if inner.raw else NOT_LOADED), is_drawn


def _part_of(watch: Watch, frame: str) -> _Part:
    places = tuple(position for position, place in enumerate(watch.places) if place.frame == frame)
    searches = tuple(position for position, search in enumerate(watch.searches) if search.frame == frame)
    wants = [tuple(places.index(at) for at in want.places if at in places) for want in watch.wants]
    return _Part(
        Watch(
            places=tuple(replace(watch.places[position], frame="") for position in places),
            wants=tuple(Want(positions) for positions in wants if positions),
            searches=tuple(replace(watch.searches[position], frame="") for position in searches),
        ),
        places,
        searches,
    )


def _failed(seen: Sighting, part: _Part, why: int) -> Sighting:
    return replace(seen, cut={**seen.cut, **{("frame", position): why for position in part.places}})


def _merged(seen: Sighting, part: _Part, inner: Sighting, *, is_drawn: bool) -> Sighting:
    """The page's sighting with what stands in a frame. In a frame that nobody sees, nothing counts as seen."""
    raw, fitted = list(seen.raw), list(seen.fitted)
    for at, position in enumerate(part.places):
        raw[position] = inner.raw[at] if is_drawn else _undrawn(inner.raw[at], visible=part.watch.places[at].visible)
        if fitted and inner.fitted:
            fitted[position] = inner.fitted[at]
    found = frozenset(part.searches[at] for at in inner.searched) if is_drawn else frozenset[int]()
    cut = {key: size for key, size in seen.cut.items() if not (key[0] == "frame" and key[1] in part.places)}
    cut |= {(kind, part.places[at]): size for (kind, at), size in inner.cut.items() if at < len(part.places)}
    return replace(seen, raw=tuple(raw), fitted=tuple(fitted), searched=seen.searched | found, cut=cut)


def _undrawn(raw: RawTexts, *, visible: bool) -> RawTexts:
    if isinstance(raw, tuple):
        return tuple((text, False) for text, _seen in raw) if visible else raw
    return False if raw is True and visible else raw
