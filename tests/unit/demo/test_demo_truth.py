"""The truth about products: stable, and in the documented shares."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.demo.truth import SHARES_PERMILLE, VERDICTS, ProductState, truth_of
from pagemill.model import Verdict

ids = st.text(min_size=1, max_size=40)


def test_known_product_never_changes() -> None:
    """The truth is the same in every process and every version: catalogues that were written once stay right."""
    truth = truth_of("h-000123")
    assert (truth.state, truth.name, truth.price) == (ProductState.OK, "S&P 울 니트 블랙 41258", 27_700)


def test_shares_add_up() -> None:
    """Every state has a share, and together they are everything."""
    assert set(SHARES_PERMILLE) == set(ProductState) == set(VERDICTS)
    assert sum(SHARES_PERMILLE.values()) == 1000


def test_states_come_in_their_shares() -> None:
    """Over 20,000 ids each state is within a tenth, or 40 products, of what it should be."""
    count = 20_000
    seen = Counter(truth_of(f"h-{number:06d}").state for number in range(count))
    for state, permille in SHARES_PERMILLE.items():
        expected = count * permille / 1000
        assert abs(seen[state] - expected) < max(40, expected / 10), state


def test_every_verdict_but_two_has_a_state() -> None:
    """Failing takes a fault, and faults come only when asked for; what is off sale is the six shops' to show."""
    assert set(VERDICTS.values()) == set(Verdict) - {Verdict.FAILED, Verdict.OFF_SALE}


@pytest.mark.parametrize("state", ProductState)
def test_id_can_pin_its_state(state: ProductState) -> None:
    """A dot and the name of a state at the end of an id decide."""
    assert truth_of(f"anything.{state}").state is state


@given(ids)
def test_every_id_has_a_truth(product_id: str) -> None:
    """Any text is an id; its name needs no trimming and its price is a positive whole number."""
    truth = truth_of(product_id)
    assert truth.name == " ".join(truth.name.split())
    assert truth.price > 0
    assert truth.listed_price > 0


@given(ids, st.sampled_from(ProductState))
def test_what_is_listed_differs_exactly_where_the_verdict_says(product_id: str, state: ProductState) -> None:
    """`changed` differs in price or name and is in stock; `ok` differs in nothing; `sold_out` is out of stock."""
    truth = truth_of(f"{product_id}.{state}")
    differs = (truth.name, truth.price, truth.in_stock) != (
        truth.listed_name,
        truth.listed_price,
        truth.listed_in_stock,
    )
    assert truth.in_stock is (truth.verdict is not Verdict.SOLD_OUT)
    if truth.verdict is Verdict.CHANGED:
        assert differs
    if truth.verdict is Verdict.OK:
        assert not differs


def test_some_sold_out_products_differ_in_price_too() -> None:
    """Being sold out goes before being changed, so both must occur together."""
    truths = [truth_of(f"{number}.sold-out") for number in range(100)]
    assert any(truth.price != truth.listed_price for truth in truths)
    assert any(truth.price == truth.listed_price for truth in truths)
