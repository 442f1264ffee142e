"""Chooses the candidates that say whether a product is sold: field `status`, and what follows from it. Pure except for
asking the pages for elements.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

from pagemill.drafting.beliefs import Belief, Beliefs
from pagemill.drafting.candidates import DOM, STRUCTURED, Candidate
from pagemill.drafting.element_candidates import SelectorProbe
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.field_choice import MOST_GUESSES, FieldChoice, Sureness, with_first
from pagemill.drafting.page_view import PageView
from pagemill.drafting.stock_data import data_candidates
from pagemill.drafting.stock_flags import flag_candidates
from pagemill.drafting.stock_options import option_candidates
from pagemill.drafting.stock_words import control_candidates, link_candidates, word_candidates
from pagemill.model import FactValue

FIELD = "status"
_MAX_RULES = 4
_MAX_FLAGS = 3
_SPARE_TRUST = 4.0


def role_beliefs(views: Sequence[PageView]) -> list[dict[str, Belief]]:
    """How each page's product is sold, as stated by whoever drafts."""
    return [{FIELD: Belief(view.evidence.role.value, 0, given=True)} if view.shows else {} for view in views]


async def choose_stock(views: Sequence[PageView], beliefs: Beliefs, probe: SelectorProbe) -> FieldChoice:
    """The rules of field `status`, whose values are `on_sale`, `sold_out` and `off_sale`."""
    options = option_candidates(views)
    candidates = [
        *data_candidates(views),
        *options,
        *_from_structured(views),
        *control_candidates(views),
        *await link_candidates(views, probe),
        *await word_candidates(views, probe),
    ]
    roles = role_beliefs(views)
    choice = _choice(candidates, views, roles)
    choice = replace(choice, rules=tuple(_with_last(choice.rules, candidates, options, roles)))
    return with_first(choice, flag_candidates(views, beliefs)[:_MAX_FLAGS])


def as_in_stock(rule: dict[str, Any]) -> dict[str, Any]:
    """The same rule for a boolean field."""
    meaning = {"on_sale": True, "sold_out": False, "off_sale": False}
    changed = {**rule, "map": {word: meaning[value] for word, value in rule["map"].items()}}
    if "else" in rule:
        changed["else"] = meaning[rule["else"]]
    return changed


def _choice(candidates: Sequence[Candidate], views: Sequence[PageView], beliefs: Beliefs) -> FieldChoice:
    wanted = {at: one[FIELD].value for at, one in enumerate(beliefs) if one}
    chosen: list[Candidate] = []
    covered: set[int] = set()
    while len(chosen) < _MAX_RULES and wanted.keys() - covered:
        best = max(
            (one for one in candidates if _is_right(one, wanted, covered)),
            key=lambda one: len(_says(one, wanted, covered)) + one.trust / 2,
            default=None,
        )
        if best is None:
            break
        chosen.append(best)
        covered |= {at for at in wanted if best.values[at] is not None}
    guesses = tuple(sorted((one for one in candidates if one not in chosen), key=lambda one: -one.trust)[:MOST_GUESSES])
    if not chosen:
        return FieldChoice(FIELD, (), Sureness.NOT_FOUND, "nothing tells the pages apart", guesses)
    used = {one.source for one in chosen}
    for one in sorted(candidates, key=lambda candidate: -candidate.trust):
        same = sum(two.source == one.source for two in chosen)
        speaks = len(_says(one, wanted, set())) >= len(wanted) - 2
        is_spare = _is_right(one, wanted, set()) and speaks and one.trust >= _SPARE_TRUST
        if (
            one not in chosen
            and len(chosen) < _MAX_RULES
            and is_spare
            and (one.source not in used or (same < 2 and one.source != DOM))
        ):
            chosen.append(one)
            used.add(one.source)
    missing = len(wanted.keys() - covered)
    sold_out = any(view.evidence.role is PageRole.SOLD_OUT for view in views)
    if missing:
        sureness, why = Sureness.UNSURE, f"{missing} of {len(wanted)} pages do not say it"
    elif not sold_out:
        sureness, why = Sureness.UNSURE, "no page of a sold-out product was given: add --sold-out URL"
    elif len({one.source for one in chosen}) > 1:
        sureness, why = Sureness.SURE, f"{len(used)} sources tell the sold-out page from the others"
    else:
        sureness, why = Sureness.LIKELY, "one source tells the sold-out page from the others"
    return FieldChoice(FIELD, tuple(chosen), sureness, why, guesses)


def _with_last(
    rules: Sequence[Candidate], candidates: Sequence[Candidate], options: Sequence[Candidate], beliefs: Beliefs
) -> list[Candidate]:
    """The rules, followed by rules for products without a state of their own.

    First the options, which may still be sold. Last a flag that is the same on sold-out and off-sale pages: if nothing
    before has said which of the two it is, nothing says that the product comes back.
    """
    wanted = {at: one[FIELD].value for at, one in enumerate(beliefs) if one}
    sold = {at: value for at, value in wanted.items() if value != PageRole.OFF_SALE.value}
    flags = [one for one in rules if _is_sale_flag(one)]
    before = [one for one in rules if one not in flags]
    if any(next((one.values[at] for one in before if one.values[at] is not None), None) != wanted[at] for at in wanted):
        return list(rules)
    sources = [one.source for one in before]
    behind = [one for one in options if one not in rules and one.source in sources and _is_right(one, sold, set())]
    last = [_closed(one, {"on_sale"}) for one in flags]
    if not last:
        more = [one for one in candidates if _is_sale_flag(one) and one.source in sources and _speaks_of_all(one, sold)]
        last = [_closed(one, set()) for one in more[:1]]
    return [*before, *behind[:1], *last]


def _is_sale_flag(candidate: Candidate) -> bool:
    """Whether it is a flag that is on if a product sells, and off if it is sold out or off sale."""
    return candidate.rule.get("map") in ({"true": "on_sale"}, {"false": "on_sale"})


def _speaks_of_all(flag: Candidate, wanted: dict[int, FactValue]) -> bool:
    return all(flag.values[at] == value for at, value in wanted.items() if value == PageRole.ON_SALE.value)


def _closed(flag: Candidate, kept: Set[str]) -> Candidate:
    """The flag, which means off sale if it is off. Its meaning if it is on stays if it is among `kept`."""
    [word] = flag.rule["map"]
    meanings = {one: state for one, state in flag.rule["map"].items() if state in kept}
    meanings["false" if word == "true" else "true"] = "off_sale"
    values = tuple(("off_sale" if value is None else value if value in kept else None) for value in flag.values)
    return replace(flag, rule={**flag.rule, "map": meanings}, values=values)


def _says(candidate: Candidate, wanted: dict[int, FactValue], covered: set[int]) -> set[int]:
    """The pages not covered yet on which the candidate is right."""
    return {at for at, value in wanted.items() if at not in covered and candidate.values[at] == value}


def _is_right(candidate: Candidate, wanted: dict[int, FactValue], covered: set[int]) -> bool:
    """Whether it is right on a page that is not covered yet, and wrong on none."""
    wrong = any(candidate.values[at] not in (None, value) for at, value in wanted.items() if at not in covered)
    return not wrong and bool(_says(candidate, wanted, covered))


def _from_structured(views: Sequence[PageView]) -> list[Candidate]:
    said = [view.evidence.structured.get("in_stock") for view in views]
    if all(value is None for value in said):
        return []
    words = {True: "on_sale", False: "sold_out"}
    values = tuple(words[value] if isinstance(value, bool) else None for value in said)
    rule = {"path": "in_stock", "map": {"true": "on_sale", "false": "sold_out"}}
    return [Candidate(STRUCTURED, rule, values, 5.0, "published for search engines")]
