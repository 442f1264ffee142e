"""Waits until a page shows what is looked for, and reads it, in one round trip per document.

This is what the built-in strategies share, and what a strategy of your own can build on (see `strategy`). It brings raw
text back; turning that into facts is `values`' and `json_path`'s.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.config.judge import TextSign
from pagemill.config.platform import Platform
from pagemill.deadlines import within
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.extraction.watch_script import watch_script

_STEP = "waiting for the content"
_MAX_DOCUMENTS = 5
"""A page that moves on by itself more often than this does not come to rest."""
MAX_MARGIN_S = 1.0
"""How long before Python's own deadline the page gives up, so that its answer still arrives."""
_LATER_S = 0.05
FIELD_CHARS = 2_000_000
STATE_CHARS = 4_000_000
STRUCTURED_CHARS = 2_000_000
_TOTAL_CHARS = 8_000_000
MAX_URL = 8_000
"""Characters of an address that are kept, as many as a catalogue's may have: a page can give itself any number."""
_IDENTIFIER = re.compile(
    r"(?!(?:await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally"
    r"|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return"
    r"|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)\Z)[A-Za-z_$][\w$]*"
)
"""A name that JavaScript can have for a variable."""

Raw = str | bool | None | tuple[tuple[str | None, bool], ...]
"""What was read at a place: text; whether it is there; or several texts, each with whether it is seen."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a document something is read: the first element of each selector, in order of preference.

    `attribute` reads that instead of the text. `split` keeps texts of neighbouring elements apart. `visible` reads
    every element, with whether a visitor sees it; `exists` tells only whether there is any. `unsure`: it cannot tell
    what is not there from what is not there yet.
    """

    selectors: tuple[str, ...]
    attribute: str | None = None
    split: bool = False
    visible: bool = False
    exists: bool = False
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Where JSON stands in a page; one of the three."""

    script: str | None = None
    variable: str | None = None
    document: bool = False


@dataclass(frozen=True, slots=True)
class Want:
    """What one field is waited for at: places and states by position, or what is published for search engines."""

    places: tuple[int, ...] = ()
    states: tuple[int, ...] = ()
    structured: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A text that is looked for where a visitor sees it. `ends` says whether it ends the wait."""

    text: str
    within: str = ""
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """What is waited for and read.

    With `ready`, the wait ends when that selector is there, and the values that are there are whole. Without it, it
    ends when everything that is wanted says something, or when the page has loaded and then stayed quiet for 0.3 s (2 s
    at most): set `ready` for pages that fetch their content after loading. With neither `ready` nor `wants`, only a
    sign ends it. A text counts whatever its letters' case and however its white space runs.
    """

    places: tuple[Place, ...] = ()
    ready: str | None = None
    wants: tuple[Want, ...] = ()
    states: tuple[State, ...] = ()
    structured: bool = False
    """Read what the page publishes for search engines."""
    searches: tuple[Search, ...] = ()
    signs: tuple[tuple[str, bool], ...] = ()
    """Selectors that are looked for, each with whether it ends the wait."""
    end_statuses: frozenset[int] = field(default_factory=frozenset)
    """HTTP statuses of the document that settle everything; then nothing is waited for or read."""
    errors: bool = False
    """Whether words in JSON are signs: then the JSON of an error's document is read as well."""
    urls: tuple[str, ...] = ()
    """Parts of an address that end the wait where the document is at one; `re:` begins a regular expression."""

    @classmethod
    def of(
        cls,
        platform: Platform,
        places: Sequence[Place | tuple[str, str | None]] = (),
        *,
        ready: str | None = None,
        wants: Sequence[Want] | None = None,
        states: Sequence[State] = (),
        structured: bool = False,
        searches: Sequence[Search] = (),
    ) -> Self:
        """A watch with the signs and statuses by which the platform is judged.

        Args:
            platform: says the signs.
            places: what to read; a pair is a selector and an attribute, `None` for the text.
            ready: the sign that the page is complete.
            wants: what each field is waited for at; unless told, every place is a field.
            states, structured, searches: as the fields of that name.
        """
        read = tuple(place if isinstance(place, Place) else Place((place[0],), place[1]) for place in places)
        judge = platform.judge
        ending = (judge.gone, judge.off_sale, judge.blocked)
        texts = [Search(text, within, ends=True) for signs in ending for within, text in signs.texts]
        texts += [Search(text, within) for within, text in judge.sold_out.texts]
        selectors = [(selector, True) for signs in ending for selector in signs.selector]
        selectors += [(selector, False) for selector in judge.sold_out.selector]
        return cls(
            places=read,
            ready=ready,
            wants=tuple(Want((position,)) for position in range(len(read))) if wants is None else tuple(wants),
            states=tuple(states),
            structured=structured,
            searches=tuple(dict.fromkeys((*searches, *texts))),
            signs=tuple(dict.fromkeys(selectors)),
            end_statuses=frozenset((*judge.gone.status, *judge.off_sale.status, *judge.blocked.status)),
            errors=any(signs.error for signs in judge.by_verdict.values()),
            urls=tuple(dict.fromkeys(url for signs in (*ending, judge.sold_out) for url in signs.url)),
        )

    def is_settled_by(self, status: int | None) -> bool:
        """Whether a document of this status need not be looked at: nothing in it could change the verdict."""
        return status is not None and (status in self.end_statuses or (status >= 400 and not self._has_signs))

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the global variables in which states stand."""
        roots = (re.split(r"[.\[]", state.variable)[0] for state in self.states if state.variable is not None)
        return tuple(dict.fromkeys(root for root in roots if _IDENTIFIER.fullmatch(root)))

    @property
    def _has_signs(self) -> bool:
        return bool(self.signs) or any(search.ends for search in self.searches) or (self.errors and bool(self.states))


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a page showed. `raw` has one entry per place, or none at all when the status settled everything."""

    status: int | None
    url: str
    ready: bool = False
    raw: tuple[Raw, ...] = ()
    states: tuple[str | None, ...] = ()
    structured: Any = None
    searched: frozenset[int] = frozenset()
    """The positions of the searches that were successful."""
    selectors: tuple[str, ...] = ()
    cut: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """What was longer than may be read: `place` or `state`, and its position; with its length in characters."""
    fitted: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Per place, how many elements there were, and what some others say; only where that was asked for."""
    requests: tuple[str, ...] = ()
    """What the page has fetched data from; only where that was asked for."""
    settled: bool = False
    """Whether the page had loaded and stayed quiet."""
    texts: tuple[str, ...] = ()
    texts_in: tuple[TextSign, ...] = ()


async def visit_page(page: Page, visit: Visit, watch: Watch) -> Sighting:
    """Navigates, waits and reads, all within the visit's time.

    It leaves nothing behind in the page or on it. Cancellation passes through.

    Raises:
        DeadlineExceeded: the page did not start, or does not answer; it is of no further use then. A page that answers
            but does not show its content in time is no error: its sighting is not `ready`.
        VisitRefused, VisitFailed, PageLost: see `navigate`.
    """
    budget = TimeBudget(visit.timeout_s)
    status = await navigate(page, visit.url, visit.timeout_s)
    if watch.is_settled_by(status):
        return Sighting(status, page.url[:MAX_URL])
    return await watch_page(page, watch, budget.left_s(_STEP), status, explain=visit.explain)


async def watch_page(
    page: Page,
    watch: Watch,
    timeout_s: float,
    status: int | None,
    stop: str = "",
    *,
    address: str = "",
    is_end: Callable[[str], bool] = lambda _url: False,
    explain: bool = False,
    thorough: bool = False,
) -> Sighting:
    """Waits and reads in the document that the page shows, and in those that it moves on to by itself.

    Args:
        page: a page that has navigated.
        watch: what to look for.
        timeout_s: for all of it.
        status: the document's HTTP status, for a page that does not know its own.
        stop: an event's name; dispatching it on the document (`STOP_SCRIPT`) ends the wait at once.
        address: where the document should be; empty if it does not matter. Where it is elsewhere, `is_end` is asked.
        is_end: whether a document at that address need not be waited for.
        explain: whether to tell what else fitted.
        thorough: whether the page must have settled, even where everything says something.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: as `visit_page`.
    """
    budget = TimeBudget(timeout_s)
    script = watch_script(structured=watch.structured, states=bool(watch.states), variables=watch.variables)
    spec = {**reading_spec(watch), **_waiting_spec(watch, stop), "explain": explain, "thorough": thorough}
    spec["address"] = address
    documents = 0
    while documents < _MAX_DOCUMENTS:
        left_s = budget.left_s(_STEP)
        spec["timeoutMs"] = (left_s - min(MAX_MARGIN_S, left_s / 5)) * 1000
        try:
            answer = await within(left_s, page.evaluate(script, spec), _STEP)
        except PlaywrightError as error:
            if "Execution context was destroyed" in error.message:
                documents += 1
                continue
            raise translate(error, _STEP) from error
        later = answer.get("later") if isinstance(answer, Mapping) else None
        if later == "again":
            await asyncio.sleep(_LATER_S)
            continue
        if later == "shown" and not spec["shown"]:
            await _show(page, budget.left_s(_STEP))
            spec["shown"] = True
            continue
        seen = _sighting(answer, watch, page.url, status)
        if later == "moved" and not is_end(seen.url):
            documents += 1
            spec["address"] = seen.url
            continue
        return seen
    raise VisitFailed("the page moves from document to document and does not come to rest")


async def _show(page: Page, timeout_s: float) -> None:
    try:
        await within(timeout_s, page.bring_to_front(), _STEP)
    except PlaywrightError as error:
        raise translate(error, _STEP) from error


def reading_spec(watch: Watch) -> dict[str, Any]:
    """What `page_script` is to read in a document."""
    return {
        "places": [
            {
                "selectors": list(place.selectors),
                "attribute": place.attribute,
                "split": place.split,
                "visible": place.visible,
                "exists": place.exists,
            }
            for place in watch.places
        ],
        "states": [
            {"script": state.script, "variable": state.variable, "document": state.document} for state in watch.states
        ],
        "structured": watch.structured,
        "searches": [
            [search.within, words_pattern(search.text), search.ends, words_of(search.text)] for search in watch.searches
        ],
        "signs": [[selector, ends] for selector, ends in watch.signs],
        "explain": False,
        "fieldChars": FIELD_CHARS,
        "stateChars": STATE_CHARS,
        "structuredChars": STRUCTURED_CHARS,
        "totalChars": _TOTAL_CHARS,
    }


def words_pattern(text: str) -> str:
    """A regular expression, for Python and JavaScript, that finds the text however white space runs between its
    words."""
    return r"\s*".join(words_of(text))


def words_of(text: str) -> list[str]:
    """A regular expression for each of its words."""
    return [_escaped(word) for word in text.split()]


def _escaped(word: str) -> str:
    return re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", word)


def _waiting_spec(watch: Watch, stop: str) -> dict[str, Any]:
    return {
        "ready": watch.ready,
        "wants": [
            {"places": list(want.places), "states": list(want.states), "structured": want.structured}
            for want in watch.wants
        ],
        "unsure": [position for position, place in enumerate(watch.places) if place.unsure],
        "endStatuses": sorted(watch.end_statuses),
        "maxUrl": MAX_URL,
        "stop": stop,
        "shown": False,
    }


def _sighting(answer: Any, watch: Watch, url: str, status: int | None) -> Sighting:
    """Takes nothing on trust: the script ran next to the page's own."""
    if not isinstance(answer, Mapping):
        raise VisitFailed("the page answered with something else than a reading")
    own_status, own_url = answer.get("status"), answer.get("url")
    # The page's own word, because it may have moved on before it was looked at.
    if isinstance(own_status, int) and 100 <= own_status <= 599:
        status = own_status
    address = (own_url if isinstance(own_url, str) and own_url else url)[:MAX_URL]
    seen = sighting_of(answer, watch, status, address)
    if seen is None:
        raise VisitFailed("the page answered with something else than a reading")
    return Sighting(status, address) if watch.is_settled_by(status) else seen


def sighting_of(answer: Mapping[str, Any], watch: Watch, status: int | None, url: str) -> Sighting | None:
    """What a script's answer says, `None` if it is something else than a reading."""
    read = answer.get("read")
    if not isinstance(read, Mapping):
        return None
    raw, states = raw_of(read.get("raw"), watch), _texts_or_none(read.get("states"), len(watch.states), STATE_CHARS)
    if raw is None or states is None:
        return None
    searched = frozenset(_positions(answer.get("texts"), len(watch.searches)))
    hits = [search for position, search in enumerate(watch.searches) if position in searched]
    return Sighting(
        status=status,
        url=url,
        ready=answer.get("ready") is True,
        raw=raw,
        states=states,
        structured=read.get("structured"),
        searched=searched,
        selectors=tuple(watch.signs[at][0] for at in _positions(answer.get("signs"), len(watch.signs))),
        cut=_cuts_of(read.get("cut")),
        fitted=_fitted_of(read.get("fitted"), len(watch.places)),
        requests=_requests_of(read.get("requests")),
        settled=answer.get("settled") is True,
        texts=tuple(dict.fromkeys(hit.text for hit in hits if not hit.within)),
        texts_in=tuple(dict.fromkeys((hit.within, hit.text) for hit in hits if hit.within)),
    )


def raw_of(found: Any, watch: Watch) -> tuple[Raw, ...] | None:
    """What was read at each place, from a script's answer; `None` if that is something else."""
    if not (isinstance(found, list) and len(found) == len(watch.places)):
        return None
    return tuple(_raw(entry, place) for entry, place in zip(found, watch.places, strict=True))


def _raw(entry: Any, place: Place) -> Raw:
    if place.exists:
        return entry is True
    entries = entry if isinstance(entry, list) else []
    if place.visible:
        pairs = [pair for pair in entries if isinstance(pair, list) and len(pair) == 2]
        return tuple((_text(text), seen is True) for text, seen in pairs)
    texts = [_text(text) for text in entries[: len(place.selectors)]]
    if len(place.selectors) == 1:
        return texts[0] if texts else None
    return tuple((text, True) for text in texts)


def _text(found: Any) -> str | None:
    return found[:FIELD_CHARS] if isinstance(found, str) else None


def _texts_or_none(found: Any, count: int, limit: int) -> tuple[str | None, ...] | None:
    if not (isinstance(found, list) and len(found) == count):
        return None
    return tuple(text if isinstance(text, str) and len(text) <= limit else None for text in found)


def _positions(found: Any, count: int) -> list[int]:
    return [at for at in found if isinstance(at, int) and 0 <= at < count] if isinstance(found, list) else []


def _cuts_of(found: Any) -> dict[tuple[str, int], int]:
    cuts = {}
    for entry in found[:1000] if isinstance(found, list) else []:
        if isinstance(entry, list) and len(entry) == 3:
            kind, at, length = entry
            if isinstance(kind, str) and isinstance(at, int) and isinstance(length, int):
                cuts[kind, at] = length
    return cuts


def _requests_of(found: Any) -> tuple[str, ...]:
    return tuple(url[:MAX_URL] for url in found[:30] if isinstance(url, str)) if isinstance(found, list) else ()


def _fitted_of(found: Any, count: int) -> tuple[tuple[int, tuple[str, ...]], ...]:
    if not (isinstance(found, list) and len(found) == count):
        return ()
    return tuple(_fitted(entry) for entry in found)


def _fitted(entry: Any) -> tuple[int, tuple[str, ...]]:
    if not (isinstance(entry, list) and len(entry) == 2):
        return 0, ()
    number, others = entry
    texts = [text for text in others if isinstance(text, str)] if isinstance(others, list) else []
    return number if isinstance(number, int) else 0, tuple(texts[:10])
