"""Pages of a shop that was made up, as evidence of them would be: what each test needs and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pagemill.drafting.element_candidates import Probed, SelectorProbe
from pagemill.drafting.evidence import (
    ElementSelector,
    HeardDocument,
    PageEvidence,
    PageRole,
    SeenElement,
    StateDocument,
    Steadiness,
)

SCRIPT = "#__NEXT_DATA__"


def element(
    tag: str,
    text: str,
    *selectors: tuple[str, str],
    visible: bool = True,
    struck: bool = False,
    near: str = "",
    **attributes: str,
) -> SeenElement:
    """An element with selectors as pairs of CSS and steadiness."""
    found = tuple(ElementSelector(css, Steadiness(steadiness)) for css, steadiness in selectors)
    return SeenElement(tag, text, found, attributes, visible, struck, 16, 100, 0, 300, 20, near)


def page(
    number: int,
    *elements: SeenElement,
    role: PageRole = PageRole.ON_SALE,
    title: str = "Shop",
    state: Any = None,
    answers: Sequence[tuple[str, Any]] = (),
    **more: Any,
) -> PageEvidence:
    """The page of product 4000 + `number`; `state` stands in a script of its own."""
    url = f"https://shop.example/goods/{4000 + number}"
    states = () if state is None else (StateDocument(SCRIPT, None, state),)
    heard = tuple(HeardDocument(f"https://api.shop.example{path}", 200, "", document) for path, document in answers)
    settings = {"final_url": url, "status": 200, "text": " ".join(one.text for one in elements), **more}
    return PageEvidence(role=role, url=url, title=title, states=states, answers=heard, elements=elements, **settings)


def probe_of(pages: Sequence[PageEvidence], also: Sequence[dict[str, tuple[int, str]]] = ()) -> SelectorProbe:
    """What selectors find: the elements that have them; `also` gives per page what else they find there, as how many
    and the first one's text."""

    async def probe(selectors: Sequence[str]) -> list[list[Probed]]:
        found = []
        for at, one in enumerate(pages):
            first = {each.css: element for element in reversed(one.elements) for each in element.selectors}
            more = also[at] if at < len(also) else {}
            found.append([_probed(css, first, more) for css in selectors])
        return found

    return probe


def _probed(css: str, first: dict[str, SeenElement], more: dict[str, tuple[int, str]]) -> Probed:
    if css in more:
        return Probed(more[css][0], more[css][1], True)
    if css not in first:
        return Probed()
    return Probed(1, first[css].text, first[css].visible, first[css].attributes)
