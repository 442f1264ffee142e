"""What was known of a product counts as far as its page still says it."""

from __future__ import annotations

import pytest

from pagemill.drafting.evidence import PageEvidence, PageRole, StateDocument
from pagemill.drafting.known_facts import still_expected, still_there


def page(text: str = "", document: object = None, role: PageRole = PageRole.ON_SALE, status: int = 200) -> PageEvidence:
    """A page that says that."""
    states = () if document is None else (StateDocument("#state", None, document),)
    return PageEvidence(role, "https://shop.com/1", "https://shop.com/1", status, "", text, states=states)


@pytest.mark.parametrize(
    ("price", "text"),
    [(12900, "12,900원"), (12900, "₩12900"), (12.5, "£12.50"), (1250.5, "1.250,50 €"), (7, "$7.00")],
)
def test_price_is_found_however_it_is_written(price: float, text: str) -> None:
    """With and without thousands, cents and currencies."""
    assert still_expected(page(f"Now {text} only"), {"price": price}) == {"price": price}


@pytest.mark.parametrize("text", ["112,900원", "12,9005", "12900.5", ""])
def test_price_that_has_changed_is_expected_no_more(text: str) -> None:
    """A part of a longer number is another one."""
    assert still_expected(page(text), {"price": 12900}) == {}


def test_texts_are_found_in_page_and_state() -> None:
    """Quotes are written otherwise there, and pictures have other queries."""
    facts = {"name": 'A "B" & C', "image": "https://cdn.com/1.jpg?v=1", "brand": "Gone", "status": "on_sale"}
    said = still_expected(page(document={"n": 'a "b" & c', "i": "https://cdn.com/1.jpg?v=2"}), facts)
    assert said == {"name": 'A "B" & C', "image": "https://cdn.com/1.jpg?v=1"}


def test_product_that_is_gone_meanwhile_tells_nothing() -> None:
    """One that was known as gone does."""
    assert not still_there(page(status=404))
    assert still_there(page(status=404, role=PageRole.GONE))
    assert still_expected(page("x 1", role=PageRole.GONE), {"price": 1}) == {}
