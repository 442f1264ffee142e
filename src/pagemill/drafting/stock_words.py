"""Finds whether a product is sold in words that a visitor reads: on buttons, on links that serve as buttons, and in
elements that say nothing else. Pure except for asking the pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pagemill.config.reading.field_rule import FieldRule
from pagemill.drafting.candidates import DOM, Candidate
from pagemill.drafting.element_candidates import Probed, SelectorProbe, selector_trust
from pagemill.drafting.evidence import PageRole, Steadiness
from pagemill.drafting.page_view import PageView
from pagemill.drafting.vocabulary import CONTROL_WORDS
from pagemill.extraction.availability import read_availability
from pagemill.extraction.values import collapse, to_fact

_LONGEST_WORD = 40
_CONTROLS = "button"
_STATES = ("sold_out", "off_sale", "on_sale")
_LONGEST_LEARNED = 20
_LINKS = ("a", "input", "span", "div")
_MAX_SELECTORS = 150
_PLACE_OF_LINKS = 4.5


def control_candidates(views: Sequence[PageView]) -> list[Candidate]:
    """A rule for the first button with a known word: of the pages' languages, or one that only pages of that state
    have."""
    known = _spoken([text for view in views if view.shows for text in _controls(view)])
    learned = _learned(views)
    both = _both(known, learned)
    found = []
    for words, trust, why in ((known, 5.2, "words on the buttons"), (both, 4.2, "words that only these buttons have")):
        if not any(words.values()) or (words is both and not any(learned.values())):
            continue
        rule = _words_rule(_CONTROLS, words)
        parsed = FieldRule.model_validate(rule)
        values = tuple(
            next((fact for text in _controls(view) if (fact := to_fact(text, parsed)) is not None), None)
            for view in views
        )
        found.append(Candidate(DOM, rule, values, trust, why))
    return found


def _both(known: dict[str, list[str]], learned: dict[str, list[str]]) -> dict[str, list[str]]:
    """The words of the languages and of this shop, each once."""
    return {state: list(dict.fromkeys([*known.get(state, ()), *learned.get(state, ())])) for state in _STATES}


def _learned(views: Sequence[PageView]) -> dict[str, list[str]]:
    """For each state, texts of visible buttons that at least half of its pages have, and no page of another state."""
    pages: dict[str, list[set[str]]] = {}
    for view in views:
        if view.shows:
            texts = {
                text for text in _controls(view, hidden=False) if len(text) <= _LONGEST_LEARNED and "|" not in text
            }
            pages.setdefault(view.evidence.role.value, []).append(texts)
    found = {}
    for state in _STATES:
        others = set[str]().union(*(texts for other, several in pages.items() if other != state for texts in several))
        own = pages.get(state, [])
        counted = Counter(text for texts in own for text in texts - others)
        found[state] = sorted(text for text, count in counted.items() if 2 * count >= len(own))
    return found


async def link_candidates(views: Sequence[PageView], probe: SelectorProbe) -> list[Candidate]:
    """Links that serve as buttons, by their own names, because other links with such words are everywhere. Words that
    the shop's buttons have shown count as well."""
    learned = _learned(views)
    taught = {word for words in learned.values() for word in words}
    wanted: dict[str, Steadiness] = {}
    said: list[str] = []
    for view in views:
        if not view.shows:
            continue
        for element in view.evidence.elements:
            text = collapse(element.text).casefold()
            if element.tag not in _LINKS or not element.visible or not 0 < len(text) <= _LONGEST_WORD:
                continue
            if text not in taught and not _spoken([text]):
                continue
            said.append(text)
            for one in element.selectors:
                if one.steadiness in (Steadiness.MEANT, Steadiness.NAMED):
                    wanted.setdefault(one.css, one.steadiness)
    selectors, words = list(wanted)[:_MAX_SELECTORS], _both(_spoken(said), learned)
    if not selectors or not any(words.values()):
        return []
    pages = await probe(selectors)
    found = []
    for place, css in enumerate(selectors):
        rule = _words_rule(css, words)
        parsed = FieldRule.model_validate(rule)
        probed = [page[place] for page in pages]
        values = tuple(to_fact(one.text, parsed) if one.visible and one.text else None for one in probed)
        several = any(one.matches > 1 for one in probed)
        if css.endswith(" a"):
            trust = _PLACE_OF_LINKS - len(css) / 150  # a link's own name only says that the link is there
        else:
            trust = selector_trust(css, wanted[css]) - 2 - (1.5 if several else 0)
        found.append(Candidate(DOM, rule, values, trust, "words on what a visitor clicks"))
    return found


def _spoken(texts: Sequence[str]) -> dict[str, list[str]]:
    """Words by meaning, of the languages in which some text says whether a thing can be bought."""
    languages = [
        language
        for language in CONTROL_WORDS.values()
        if any(word.casefold() in text for words in language.values() for word in words for text in texts)
    ]
    return {state: [word for one in languages for word in one[state]] for state in _STATES} if languages else {}


def _words_rule(selector: str, words: dict[str, list[str]]) -> dict[str, Any]:
    meanings = {"contains:" + "|".join(several): state for state, several in words.items() if several}
    return {"selector": selector, "visible": True, "map": meanings}


def _controls(view: PageView, *, hidden: bool = True) -> list[str]:
    """The texts of buttons in the order in which they count; hidden buttons come last."""
    buttons = [one for one in view.evidence.elements if one.tag == "button" and one.text]
    seen = [one for one in buttons if one.visible] + [one for one in buttons if hidden and not one.visible]
    return [collapse(one.text).casefold() for one in seen]


async def word_candidates(views: Sequence[PageView], probe: SelectorProbe) -> list[Candidate]:
    """Elements with one short text on all pages that sell, and another one on the sold-out page."""
    selling = [view for view in views if view.sells]
    if not selling or not any(view.evidence.role is PageRole.SOLD_OUT for view in views):
        return []
    shared = _constant_texts(selling) - _constant_texts(
        [one for one in views if one.evidence.role is PageRole.SOLD_OUT]
    )
    wanted: dict[str, Steadiness] = {}
    for element in selling[0].evidence.elements:
        text = collapse(element.text)
        if element.tag == "meta" or not text or len(text) > _LONGEST_WORD or text not in shared or not element.visible:
            continue
        for one in element.selectors:
            wanted.setdefault(one.css, one.steadiness)
    for view in views:
        if view.evidence.role is PageRole.SOLD_OUT:
            for element in view.evidence.elements:
                if (
                    element.visible
                    and 0 < len(element.text) <= _LONGEST_WORD
                    and read_availability(element.text) is False
                ):
                    for one in element.selectors:
                        wanted.setdefault(one.css, one.steadiness)
    selectors = list(wanted)[:_MAX_SELECTORS]
    if not selectors:
        return []
    pages = await probe(selectors)
    found = []
    for place, css in enumerate(selectors):
        candidate = _element(css, wanted[css], [page[place] for page in pages], views)
        if candidate is not None:
            found.append(candidate)
    return found


def _constant_texts(views: Sequence[PageView]) -> set[str]:
    texts = [{collapse(element.text) for element in view.evidence.elements} for view in views]
    return set.intersection(*texts)


def _element(css: str, steadiness: Steadiness, probed: Sequence[Probed], views: Sequence[PageView]) -> Candidate | None:
    words: dict[PageRole, set[str]] = {}
    for one, view in zip(probed, views, strict=True):
        if view.shows:
            words.setdefault(view.evidence.role, set()).add(collapse(one.text) if one.matches else "")
    selling, out = words[PageRole.ON_SALE], words.get(PageRole.SOLD_OUT, set())
    stopped = words.get(PageRole.OFF_SALE, set())
    if len(selling) != 1 or len(out) != 1 or selling == out or selling & stopped or (out & stopped):
        return None
    says = {"on_sale": next(iter(selling)), "sold_out": next(iter(out)), "off_sale": next(iter(stopped), "")}
    if not says["sold_out"] or any(len(word) > _LONGEST_WORD or "|" in word for word in says.values()):
        return None
    meanings = {word: state for state, word in says.items() if word}
    spoken = read_availability(says["sold_out"]) is False
    trust = selector_trust(css, steadiness) - 1 + (0.5 if spoken else 0)
    trust -= 1.5 if any(one.matches > 1 for one in probed) else 0
    rule = {"selector": css, "map": meanings}
    parsed = FieldRule.model_validate(rule)
    values = tuple(to_fact(one.text, parsed) if one.matches and one.text else None for one in probed)
    return Candidate(DOM, rule, values, trust, "a word of the page")
