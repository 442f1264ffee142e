"""Chooses the candidates of a field that are written into the file, their order, and how sure they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pagemill.drafting.beliefs import Belief, Beliefs, agrees
from pagemill.drafting.candidates import DOM, NUMBERS, Candidate
from pagemill.drafting.page_view import PageView
from pagemill.model import FactValue

NEEDED = ("name", "price", "status")
"""The fields of which a file must be sure, or nearly so."""
_MAX_RULES = 3
_MAX_SPARES = 2
MOST_GUESSES = 10
"""How many other candidates of a field are kept besides the chosen ones."""
_SPARE_TRUST = 3.0
_FIRM = 3.5
"""A belief of a page that does not sell counts from this support on."""


class Sureness(StrEnum):
    """How sure a drafted field is."""

    SURE = "sure"
    LIKELY = "likely"
    UNSURE = "unsure"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """What is written of one field: its rules in order, and the other candidates."""

    name: str
    rules: tuple[Candidate, ...]
    sureness: Sureness
    why: str
    guesses: tuple[Candidate, ...] = ()
    """The best first."""

    @property
    def told(self) -> str:
        """How sure the field is and why, in words for people."""
        return f"{self.name}: {self.sureness.value}, {self.why}"

    @property
    def is_too_unsure(self) -> bool:
        """Whether the file should not be used because this field is too unsure."""
        return self.name in NEEDED and self.sureness in (Sureness.UNSURE, Sureness.NOT_FOUND)


@dataclass(slots=True)
class _Board:
    """On which pages a choice must be right, and on which it already is."""

    wanted: dict[int, FactValue]
    extra: dict[int, FactValue]
    covered: set[int] = field(default_factory=set)

    def right(self, candidate: Candidate, pages: dict[int, FactValue]) -> set[int]:
        return {at for at, value in pages.items() if at not in self.covered and _agrees(candidate, at, value)}

    def wrong(self, candidate: Candidate) -> bool:
        """Whether the candidate is wrong on a page that no chosen rule has covered yet."""
        return any(
            candidate.values[at] is not None and not _agrees(candidate, at, value)
            for at, value in self.wanted.items()
            if at not in self.covered
        )


def choose_field(
    name: str, candidates: Sequence[Candidate], views: Sequence[PageView], beliefs: Beliefs
) -> FieldChoice:
    """The fewest candidates that are right on every page that sells, then spares from other sources."""
    known = {at: one[name] for at, one in enumerate(beliefs) if name in one}
    board = _Board(
        {at: belief.value for at, belief in known.items() if views[at].sells},
        {
            at: belief.value
            for at, belief in known.items()
            if views[at].shows and not views[at].sells and _is_firm(belief)
        },
    )
    if not board.wanted:
        return FieldChoice(name, (), Sureness.NOT_FOUND, "no page says it", ())
    candidates = [one for one in candidates if not _says_foreign(one, name, views, beliefs)]
    chosen: list[Candidate] = []
    while len(chosen) < _MAX_RULES and (board.wanted.keys() | board.extra.keys()) - board.covered:
        best = _best(candidates, board, views)
        if best is None:
            break
        chosen.append(best)
        board.covered |= {at for at in range(len(views)) if best.values[at] is not None}
    missing = sum(1 for at in board.wanted if at not in board.covered)
    guesses = _guesses(candidates, chosen, views)
    if not chosen:
        return FieldChoice(name, (), Sureness.NOT_FOUND, "no place says it on every page", guesses)
    chosen += _spares(candidates, chosen, board)
    return FieldChoice(name, tuple(chosen), *_sureness(chosen, board, known, missing), guesses)


def with_first(choice: FieldChoice, silent: Sequence[Candidate]) -> FieldChoice:
    """The choice with other rules before its own: those that read nothing on any given page, but whose key alone says
    what they mean."""
    read = {(one.source, one.rule["path"]) for one in choice.rules if "path" in one.rule}
    first = tuple(one for one in silent if one not in choice.rules and (one.source, one.rule["path"]) not in read)
    if not choice.rules or not first:
        return choice
    told = ", ".join(dict.fromkeys(one.why for one in first))
    return replace(choice, rules=(*first, *choice.rules), why=f"{choice.why}; and {told}")


def _says_foreign(candidate: Candidate, name: str, views: Sequence[PageView], beliefs: Beliefs) -> bool:
    """Whether an element has something else than the product's value on a page, such as another product's price.

    A price may be where other pages have the list price, and the other way round.
    """
    if candidate.source != DOM:
        return False
    for at, (view, believed) in enumerate(zip(views, beliefs, strict=True)):
        own = [believed[one].value for one in (NUMBERS if name in NUMBERS else {name}) if one in believed]
        is_firm = view.sells or (name in believed and _is_firm(believed[name]))
        if is_firm and own and candidate.values[at] is not None and not any(_agrees(candidate, at, v) for v in own):
            return True
    return False


def _best(candidates: Sequence[Candidate], board: _Board, views: Sequence[PageView]) -> Candidate | None:
    def rank(candidate: Candidate) -> tuple[float, float]:
        right = len(board.right(candidate, board.wanted))
        more = len(board.right(candidate, board.extra))
        says_of_nothing = sum(1 for at, view in enumerate(views) if not view.shows and candidate.values[at] is not None)
        return right * 10 + candidate.trust + more * 0.7 - says_of_nothing * 1.5, candidate.trust

    open_ones = [
        one
        for one in candidates
        if not board.wrong(one) and (board.right(one, board.wanted) or board.right(one, board.extra))
    ]
    return max(open_ones, key=rank, default=None)


def _spares(candidates: Sequence[Candidate], chosen: Sequence[Candidate], board: _Board) -> list[Candidate]:
    """One candidate from each of a few other sources that would have been right as well."""
    used = {one.source for one in chosen}
    spares: list[Candidate] = []
    for one in sorted(candidates, key=lambda candidate: -candidate.trust):
        is_right = all(_agrees(one, at, value) for at, value in board.wanted.items() if one.values[at] is not None)
        speaks = sum(one.values[at] is not None for at in board.wanted)
        if one.source in used or one.trust < _SPARE_TRUST or not is_right or speaks < max(1, len(board.wanted) - 1):
            continue
        spares.append(one)
        used.add(one.source)
        if len(spares) == _MAX_SPARES:
            break
    return spares


def _guesses(
    candidates: Sequence[Candidate], chosen: Sequence[Candidate], views: Sequence[PageView]
) -> tuple[Candidate, ...]:
    speaking = [one for one in candidates if one not in chosen and any(value is not None for value in one.values)]
    return tuple(sorted(speaking, key=lambda one: -one.trust)[:MOST_GUESSES])


def _sureness(
    chosen: Sequence[Candidate], board: _Board, known: dict[int, Belief], missing: int
) -> tuple[Sureness, str]:
    if missing:
        return Sureness.UNSURE, f"{missing} of {len(board.wanted)} pages say it nowhere that was found"
    given = [at for at in board.wanted if known[at].given]
    sources = {one.source for one in chosen}
    differing = len(set(board.wanted.values())) > 1
    if given and len(given) == len(board.wanted):
        return Sureness.SURE, "it is what was expected of every page"
    if len(board.wanted) > 1 and differing and len(sources) > 1:
        return Sureness.SURE, f"{len(sources)} sources say the same on {len(board.wanted)} pages"
    if len(board.wanted) > 1 and differing:
        return Sureness.LIKELY, f"one source says it on {len(board.wanted)} pages, and differently on each"
    if len(sources) > 1 or len(board.wanted) > 1:
        if len(sources) == 1:
            return Sureness.LIKELY, f"one source says it, and alike on {len(board.wanted)} pages"
        on = f"{len(board.wanted)} pages" if len(board.wanted) > 1 else "one page"
        return Sureness.LIKELY, f"said alike by {len(sources)} sources on {on}"
    return Sureness.UNSURE, "one source says it on one page: give more URLs"


def _agrees(candidate: Candidate, at: int, value: FactValue) -> bool:
    said = candidate.values[at]
    return said is not None and agrees(said, value)


def _is_firm(belief: Belief) -> bool:
    return belief.given or belief.support >= _FIRM
