"""Reads everything that one open page holds, with the means of a platform's sources, which can then read it too.

Owns no page and visits none; `gather` does. Elements are described within the page, by `evidence_script.js`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pagemill.browser.lease import Lease
from pagemill.drafting.evidence import (
    ElementSelector,
    HeardDocument,
    PageEvidence,
    SeenElement,
    StateDocument,
    Steadiness,
)
from pagemill.drafting.page_scripts import evidence_script, names_script, settled_script
from pagemill.errors import BrokenScript, VisitFailed
from pagemill.extraction.ask_page import ask_page, bring_to_front
from pagemill.extraction.json_path import parse_answer
from pagemill.extraction.page_news_port import Heard
from pagemill.extraction.page_reader import watch_page
from pagemill.extraction.page_spec import PagePlace, StatePlace, Want, Watch, reading_spec
from pagemill.extraction.published.schema_product import StructuredData, standard_facts
from pagemill.extraction.script_json import documents_of
from pagemill.extraction.script_world import World
from pagemill.extraction.sighting import Sighting
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.values import collapse

TEXT_CHARS = 100_000
MOST_ELEMENTS = 2_000
_MOST_STATES = 60
_MOST_VARIABLES = 30
_MOST_PASSING = 200
_QUIET_MS, _LEAST_MS, _MOST_MS = 800, 2_000, 10_000
"""In ms: how long nothing may change in a page at rest; how long it gets after loading at least; and at most."""
_ELEMENTS_MS = 6_000
_STEP = "gathering what the page holds"
_SHORTEST_APART = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """What the script in the page has reported."""

    title: str
    text: str
    elements: tuple[SeenElement, ...]
    states: tuple[StatePlace, ...]
    troubles: tuple[str, ...]


async def read_evidence(lease: Lease, evidence: PageEvidence, timeout_s: float, apart: tuple[str, ...]) -> PageEvidence:
    """Completes the evidence of a page that has navigated.

    Args:
        lease: of the page.
        evidence: what is known of it; its `status` is that of the document.
        timeout_s: for everything.
        apart: texts from the product's own address, which no selector may contain.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: the page does not answer, or is gone.
    """
    budget = TimeBudget(timeout_s)
    world = lease.world
    assert world is not None
    await bring_to_front(lease.page, budget.left_s(_STEP))
    rested, shown = await _settled(world, budget)
    found = await _found(world, budget, apart)
    watch = _watch(found.states)
    seen = await watch_page(lease.page, watch, budget.left_s(_STEP), evidence.status, world=world, shown=True)
    structured, broken = _structured(seen)
    states, cut = _states(seen, watch)
    answers, unread = _answers(lease, seen.url)
    restless = () if rested else (f"the page was not at rest after {_MOST_MS // 1000} s",)
    return replace(
        evidence,
        final_url=seen.url,
        status=seen.status,
        title=found.title,
        text=found.text,
        dialogs=lease.news.dialogs,
        passing=_passing(shown, found.text),
        structured=structured,
        states=states,
        answers=answers,
        elements=found.elements,
        troubles=(*evidence.troubles, *restless, *found.troubles, *broken, *cut, *unread),
    )


async def _settled(world: World, budget: TimeBudget) -> tuple[bool, list[str]]:
    """Waits until the page is at rest. Returns whether it is, and the texts that it showed meanwhile."""
    spec = {"quietMs": _QUIET_MS, "leastMs": _LEAST_MS, "mostMs": _MOST_MS, "textChars": TEXT_CHARS}
    told = await ask_page(world, settled_script(), spec, budget.left_s(_STEP), _STEP)
    if not isinstance(told, Mapping) or not isinstance(told.get("texts"), list):
        raise VisitFailed("the page answered with something else than whether it has come to rest")
    return told.get("rested") is True, [text for text in told["texts"] if isinstance(text, str)]


def _passing(shown: list[str], text: str) -> tuple[str, ...]:
    lines = dict.fromkeys(collapse(line) for one in shown for line in one.splitlines())
    return tuple(line for line in lines if line and line not in text)[:_MOST_PASSING]


async def _found(world: World, budget: TimeBudget, apart: tuple[str, ...]) -> _Found:
    spec = {
        **reading_spec(Watch()),
        "most": MOST_ELEMENTS,
        "textChars": TEXT_CHARS,
        "within": _ELEMENTS_MS,
        "apart": [text.lower() for text in apart if len(text) >= _SHORTEST_APART],
    }
    told = await ask_page(world, evidence_script(), spec, budget.left_s(_STEP), _STEP)
    if not isinstance(told, Mapping):
        raise VisitFailed("the page answered with something else than what it holds")
    names = [name for name in told["names"] if isinstance(name, str)]
    asked = {"fresh": told["fresh"], "most": _MOST_VARIABLES}
    own = await ask_page(world, names_script(), asked, budget.left_s(_STEP), _STEP, among_its_own=True)
    own_names = [name for name in own if isinstance(name, str)] if isinstance(own, list) else []
    states = [StatePlace(document=True)] if told["isJson"] else []
    states += [StatePlace(script=one["selectors"][0]["css"]) for one in told["scripts"] if one["selectors"]]
    states += [StatePlace(variable=name) for name in dict.fromkeys([*own_names, *names])][:_MOST_VARIABLES]
    beyond = [f"there are {len(states)} places of JSON: {_MOST_STATES} are read"] if len(states) > _MOST_STATES else []
    return _Found(
        title=told["title"],
        text=told["text"],
        elements=tuple(_elements(told["elements"])),
        states=tuple(states[:_MOST_STATES]),
        troubles=(*told["cut"], *beyond),
    )


def _elements(told: list[Any]) -> Iterator[SeenElement]:
    for one in told:
        selectors = tuple(ElementSelector(each["css"], Steadiness(each["steadiness"])) for each in one["selectors"])
        yield SeenElement(**{**one, "selectors": selectors})


def _watch(states: tuple[StatePlace, ...]) -> Watch:
    """A watch for the states and the published data. The sign makes it also read pages with an error status."""
    return Watch(
        places=(PagePlace(("html",)),), wants=(Want((0,)),), states=states, structured=True, signs=(("body", False),)
    )


def _structured(seen: Sighting) -> tuple[dict[str, Any], list[str]]:
    if seen.structured is None:
        return {}, []
    found = standard_facts(StructuredData.of(seen.structured), seen.url)
    return {name: value for name, value in found.facts.items() if value is not None}, list(found.broken)


def _states(seen: Sighting, watch: Watch) -> tuple[tuple[StateDocument, ...], list[str]]:
    found, troubles = [], []
    for position, (state, text) in enumerate(zip(watch.states, seen.states, strict=False)):
        name = state.script or state.variable or "the document"
        if text is None or not text.strip():
            continue
        if length := seen.cut.get(("state", position), 0):
            troubles.append(f"{name} is {length} characters long, too long to be read")
            continue
        try:
            documents = list(documents_of(text))
        except BrokenScript:
            continue
        found += [StateDocument(state.script, state.variable, one) for one in documents if isinstance(one, dict | list)]
    return tuple(found), troubles


def _answers(lease: Lease, address: str) -> tuple[tuple[HeardDocument, ...], list[str]]:
    """The answers that the page has fetched. Its own document is not one of them, even if that is JSON."""
    answers = [answer for answer in lease.news.answers if answer.url != address or answer.posted]
    found = [heard for answer in answers if (heard := heard_document(answer)) is not None]
    dropped = lease.news.dropped
    return tuple(found), [f"{dropped} more answers were not heard"] if dropped else []


def heard_document(answer: Heard) -> HeardDocument | None:
    """The JSON of an answer; `None` if it has none."""
    if answer.body is None:
        return None
    try:
        document = parse_answer(answer.body)
    except ValueError:
        return None
    return HeardDocument(answer.url, answer.status, answer.posted, document) if document is not None else None
