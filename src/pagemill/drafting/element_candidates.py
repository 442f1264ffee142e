"""Candidates in elements: selectors that were seen, tried on every page. Pure except for asking the pages."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagemill.config.reading.field_rule import FieldRule
from pagemill.drafting.beliefs import Beliefs, agrees
from pagemill.drafting.candidates import DOM, NUMBERS, Candidate
from pagemill.drafting.evidence import SeenElement, Steadiness
from pagemill.drafting.page_view import PageView
from pagemill.extraction.values import collapse, to_fact
from pagemill.model import FactValue

_MAX_SELECTORS = 300
_LONGEST_AMOUNT = 80
_TRUST = {Steadiness.MEANT: 6.5, Steadiness.NAMED: 6.0, Steadiness.WORDED: 4.0, Steadiness.PLACED: 2.5}
_NOT_ALONE = 1.3
"""What a selector that finds several elements on a page loses: next time, the first may be another product's."""
_AMONG_OTHERS = 2.5
"""What a number among other numbers loses: only the way in which they are written tells which one is meant."""
_LAST_NUMBER = r"^.*(?<![\d.,])(\d+(?:[.,]\d+)*)\D*$"
_OWN_WORD = re.compile(r"[#.\[][^ >+~]*$")
_ATTRIBUTES = {"image": ("content", "src", "href", "data-src"), "name": ("content",), "price": ("content", "value")}


@dataclass(frozen=True, slots=True)
class Probed:
    """What a selector finds on one page: the number of elements, and text and attributes of the first."""

    matches: int = 0
    text: str = ""
    visible: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


SelectorProbe = Callable[[Sequence[str]], Awaitable[list[list[Probed]]]]
"""Asks every page, in the order of the views, for every selector."""


@dataclass(slots=True)
class _Wanted:
    """A selector, and how its element is read."""

    css: str
    steadiness: Steadiness
    attribute: str
    regex: str


async def element_candidates(
    name: str, views: Sequence[PageView], beliefs: Beliefs, probe: SelectorProbe
) -> list[Candidate]:
    """Every selector whose element says what is believed of some page, with what it says on all of them."""
    wanted: dict[tuple[str, str, str], _Wanted] = {}
    for view, believed in zip(views, beliefs, strict=True):
        belief = believed.get(name)
        if belief is None or not view.shows:
            continue
        for element in view.evidence.elements:
            for attribute, regex in _ways(name, element, belief.value):
                for one in element.selectors:
                    wanted.setdefault((one.css, attribute, regex), _Wanted(one.css, one.steadiness, attribute, regex))
    chosen = sorted(wanted.values(), key=lambda one: -selector_trust(one.css, one.steadiness))[:_MAX_SELECTORS]
    selectors = list(dict.fromkeys(one.css for one in chosen))
    if not selectors:
        return []
    pages = await probe(selectors)
    at = {css: place for place, css in enumerate(selectors)}
    return [_candidate(name, one, [page[at[one.css]] for page in pages]) for one in chosen]


def _candidate(name: str, wanted: _Wanted, probed: Sequence[Probed]) -> Candidate:
    rule: dict[str, Any] = {"selector": wanted.css}
    if wanted.attribute:
        rule["attribute"] = wanted.attribute
    if wanted.regex:
        rule["regex"] = wanted.regex
    if name in NUMBERS:
        rule["type"] = "number"
    trust = selector_trust(wanted.css, wanted.steadiness)
    trust -= _NOT_ALONE if any(one.matches > 1 for one in probed) else 0
    if name in NUMBERS and any(len(re.findall(r"\d[\d.,]*", one.text)) > 1 for one in probed):
        trust -= _AMONG_OTHERS
    if name in NUMBERS:
        trust -= max(len(one.text) for one in probed) / 100
    if wanted.css.startswith("meta") or wanted.attribute:
        trust -= 1.0  # it is not for people who look at the page
    values = tuple(_read(rule, one) for one in probed)
    return Candidate(DOM, rule, values, trust, "elements of the page")


def selector_trust(css: str, steadiness: Steadiness) -> float:
    """How likely the selector is to last. Less if the element has no name of its own, but only its surroundings do."""
    trust = _TRUST[steadiness]
    if steadiness is Steadiness.NAMED and _OWN_WORD.search(css) is None:
        trust = _TRUST[Steadiness.WORDED] - (0.5 if "nth" in css else 0)
    elif steadiness is Steadiness.PLACED and re.search(r"nth-of-type\((?!1\))", css):
        trust -= 0.5
    return trust - len(css) / 150


def _read(rule: Mapping[str, Any], probed: Probed) -> FactValue:
    if not probed.matches:
        return None
    text = probed.attributes.get(rule["attribute"], "") if "attribute" in rule else probed.text
    return to_fact(text, FieldRule.model_validate(dict(rule))) if text else None


def _ways(name: str, element: SeenElement, belief: FactValue) -> list[tuple[str, str]]:
    """The attributes and regular expressions with which the element says it; empty if it does not."""
    found: list[tuple[str, str]] = []
    if element.tag != "meta" and element.text and _says(name, element.text, belief):
        found.append(("", ""))
    if name in NUMBERS and element.tag != "meta" and _says_last(element.text, belief):
        found.append(("", _LAST_NUMBER))
    for attribute in _ATTRIBUTES.get(name, ()):
        text = element.attributes.get(attribute, "")
        if not text:
            continue
        if _says(name, text, belief):
            found.append((attribute, ""))
        elif name == "name" and isinstance(belief, str) and (regex := _before_tail(collapse(text), collapse(belief))):
            found.append((attribute, regex))
    return found


def _says(name: str, text: str, belief: FactValue) -> bool:
    if name in NUMBERS:
        if len(text) > _LONGEST_AMOUNT or not re.search(r"\d", text):
            return False
        return agrees(to_fact(text, FieldRule.model_validate({"selector": "x", "type": "number"})), belief)
    return agrees(text, belief)


def _says_last(text: str, belief: FactValue) -> bool:
    """Whether the last of several numbers is the amount, as after an old price and a percentage."""
    found = re.search(_LAST_NUMBER, text) if len(text) <= _LONGEST_AMOUNT else None
    return found is not None and found.start(1) > 0 and _says("price", found[1], belief)


def _before_tail(text: str, belief: str) -> str:
    """A regular expression for a title in which the shop's own words follow the name."""
    if not text.startswith(belief) or text == belief:
        return ""
    tail = text[len(belief) :]
    if not re.match(r"\s*[-|:–—·»]\s", tail):
        return ""
    return f"^(.+?){re.escape(tail).replace(chr(92) + ' ', ' ').replace(chr(92) + '-', '-')}$"
