"""What a script has read in a page, as values of known types. Pure. Every value is checked, because the page's own
scripts could have changed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pagemill.config.reading.judge import TextSign
from pagemill.extraction.page_spec import FIELD_CHARS, MAX_URL, STATE_CHARS, PagePlace, Watch

RawTexts = str | bool | None | tuple[tuple[str | None, bool], ...]
"""What was read at a place: a text; whether it exists; or several texts, each with whether it is seen."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a page showed. `raw` has one entry per place. It is empty if the status settled everything."""

    status: int | None
    url: str
    ready: bool = False
    raw: tuple[RawTexts, ...] = ()
    states: tuple[str | None, ...] = ()
    structured: Any = None
    searched: frozenset[int] = frozenset()
    """The positions of the searches that found their text."""
    selectors: tuple[str, ...] = ()
    cut: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """What was not read whole: kind (such as `place`) and position, with a length, a count, or a frame's trouble."""
    fitted: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """For each place, how many elements matched and what some others say; only if that was asked for."""
    requests: tuple[str, ...] = ()
    """The addresses from which the page has fetched data; only if that was asked for."""
    settled: bool = False
    """Whether the page had loaded and stayed quiet."""
    texts: tuple[str, ...] = ()
    texts_in: tuple[TextSign, ...] = ()


def sighting_of(answer: Mapping[str, Any], watch: Watch, status: int | None, url: str) -> Sighting | None:
    """The sighting that a script's answer holds; `None` if the answer is something else."""
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


def raw_of(found: Any, watch: Watch) -> tuple[RawTexts, ...] | None:
    """What a script's answer says of each place; `None` if the answer is something else."""
    if not (isinstance(found, list) and len(found) == len(watch.places)):
        return None
    return tuple(_raw(entry, place) for entry, place in zip(found, watch.places, strict=True))


def _raw(entry: Any, place: PagePlace) -> RawTexts:
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
