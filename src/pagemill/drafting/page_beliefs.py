"""What each page most likely says of its product, before the places are chosen. Values count by how many places agree,
and by what a visitor sees. Pure.

Whoever drafts may state what is right; then nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pagemill.drafting.beliefs import ADDRESS, Belief, Votes
from pagemill.drafting.evidence import PageEvidence, Steadiness
from pagemill.drafting.page_view import PageView
from pagemill.drafting.price_beliefs import is_amount, price_beliefs
from pagemill.drafting.vocabulary import names_a_product, names_an_image
from pagemill.extraction.values import collapse

_MAX_NAME = 300
_HEADING = {"h1": 2.5, "h2": 1.2, "h3": 1.4, "h4": 0.6}
_CALLED_NAME = re.compile(r"[#.\[][^ >]*(?:title|name)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")


def beliefs_of(views: Sequence[PageView]) -> list[dict[str, Belief]]:
    """For each page, the belief of each field. Fields without a belief are missing."""
    repeated = _repeated_texts(views)
    return [_believed(view, repeated) for view in views]


def _believed(view: PageView, repeated: frozenset[str]) -> dict[str, Belief]:
    page = view.evidence
    given = {name: Belief(value, 0, given=True) for name, value in page.expected.items() if value is not None}
    if not view.shows:
        return given
    found: dict[str, Belief] = {}
    if (name := _name(view, repeated)) is not None:
        found["name"] = name
    found |= price_beliefs(view, str((given.get("name") or found.get("name") or Belief("", 0)).value))
    for fact in ("brand", "image", "currency"):
        if isinstance(said := page.structured.get(fact), str) and said:
            found[fact] = Belief(said, 1)
    if "image" not in found and (image := _image(view)) is not None:
        found["image"] = image
    return found | given


def _repeated_texts(views: Sequence[PageView]) -> frozenset[str]:
    """Texts that every page shows: they are the shop's and not a product's. A text that is the title of only some pages
    is a product's name, and is not among them."""
    shown = [view.evidence for view in views if view.shows]
    if len(shown) < 2:
        return frozenset()
    texts: list[set[str]] = []
    titles: list[set[str]] = []
    for page in shown:
        pieces = {piece.casefold() for title in _titles(page) for piece in _pieces(title)}
        texts.append(pieces | {collapse(element.text).casefold() for element in page.elements})
        titles.append(pieces)
    entitled = set[str]().union(*titles) - set[str].intersection(*titles)
    return frozenset(set[str].intersection(*texts) - entitled)


def _titles(page: PageEvidence) -> list[str]:
    return [collapse(page.title), *(collapse(one) for one in _metas(page, "og:title", "twitter:title", "title"))]


def _metas(page: PageEvidence, *names: str) -> Iterable[str]:
    for element in page.elements:
        attributes = element.attributes
        if element.tag == "meta" and (attributes.get("property") or attributes.get("name", "")).lower() in names:
            yield attributes.get("content", "")


def _pieces(title: str) -> list[str]:
    """The title, and its beginnings before each character that may separate it from the shop's name."""
    ends = [found.start() for found in re.finditer(r"\s+[-|:–—·»]\s+", title)]
    return [piece for piece in (title, *(title[:end].strip() for end in ends)) if piece]


def _name(view: PageView, repeated: frozenset[str]) -> Belief | None:
    page, votes = view.evidence, Votes()
    titles = _titles(page)
    if isinstance(said := page.structured.get("name"), str):
        votes.add(collapse(said), 3, 0)
    for title in titles:
        for piece in _pieces(title):
            votes.add(piece, 0.3, 1)
    for leaf in view.leaves:
        key = next((one for one in reversed(leaf.path) if isinstance(one, str)), "")
        if isinstance(leaf.value, str) and names_a_product(key) and leaf.value.strip():
            depth = len(leaf.path) / 100  # a product's own name is higher up than those of its options
            votes.add(collapse(leaf.value), (2.5 if leaf.own else 0.4) - depth)
    for at, element in enumerate(page.elements):
        if element.tag == "meta" or not element.text:
            continue
        weight = _HEADING.get(element.tag, 0.3) if element.visible else 0.1
        if any(one.steadiness is Steadiness.MEANT and "name" in one.css for one in element.selectors):
            weight += 1
        elif any(_CALLED_NAME.search(one.css) for one in element.selectors):
            weight += 0.6
        if element.tag in ("a", "button", "label", "option", "li"):
            weight -= 0.25
        votes.add(collapse(element.text), weight, 10 + at)
    for text in list(votes.support):
        if not _may_be_a_name(text) or text.casefold() in repeated:
            del votes.support[text]
        elif any(text != title and text in title for title in titles):
            votes.support[text] += 1.5  # type: ignore[assignment]
    best = votes.best()
    return None if best is None else Belief(*best)


def _may_be_a_name(text: str) -> bool:
    if not 2 <= len(text) <= _MAX_NAME or _WORD.search(text) is None:
        return False
    return not (is_amount(text) and len(text) < 30)


def _image(view: PageView) -> Belief | None:
    """The address of the picture that most places name."""
    votes = Votes()
    for address in _metas(view.evidence, "og:image", "twitter:image"):
        votes.add(address, 2)
    for leaf in view.leaves:
        is_named = any(isinstance(key, str) and names_an_image(key) for key in leaf.path[-2:])
        if leaf.own and is_named and isinstance(leaf.value, str) and ADDRESS.match(leaf.value):
            main = 0.5 if leaf.main else 0
            votes.add(leaf.value, 1.5 + main - len(leaf.path) / 100)
    for at, element in enumerate(view.evidence.elements):
        if element.tag == "img" and (src := element.attributes.get("src")):
            is_own = bool(view.identity.token) and view.identity.token in src
            votes.add(src, 1.0 if is_own else 0.2, at)
    best = votes.best()
    return None if best is None or best[1] < 0.9 else Belief(*best)
