"""What is true about every product of the practice shop: a pure function of its id.

Owns the states of products, their shares, and both sides of each product: what its page says and what the catalogue
expects. Knows nothing of HTTP, pages or files.

A stable hash of the id draws the state, so shop and catalogue agree without communication. An id that ends with a dot
and the name of a state, such as `h-000123.gone-404`, is pinned to that state.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from pagemill.model import Verdict


class ProductState(StrEnum):
    """How a product's page answers, and how it differs from the catalogue."""

    OK = "ok"
    CHANGED_PRICE = "changed-price"
    CHANGED_NAME = "changed-name"
    SOLD_OUT = "sold-out"
    GONE_404 = "gone-404"
    GONE_410 = "gone-410"
    GONE_TEXT = "gone-text"
    BLOCKED_403 = "blocked-403"
    BLOCKED_429 = "blocked-429"
    BLOCKED_TEXT = "blocked-text"


VERDICTS: dict[ProductState, Verdict] = {
    ProductState.OK: Verdict.OK,
    ProductState.CHANGED_PRICE: Verdict.CHANGED,
    ProductState.CHANGED_NAME: Verdict.CHANGED,
    ProductState.SOLD_OUT: Verdict.SOLD_OUT,
    ProductState.GONE_404: Verdict.GONE,
    ProductState.GONE_410: Verdict.GONE,
    ProductState.GONE_TEXT: Verdict.GONE,
    ProductState.BLOCKED_403: Verdict.BLOCKED,
    ProductState.BLOCKED_429: Verdict.BLOCKED,
    ProductState.BLOCKED_TEXT: Verdict.BLOCKED,
}

SHARES_PERMILLE: dict[ProductState, int] = {
    ProductState.OK: 810,
    ProductState.CHANGED_PRICE: 40,
    ProductState.CHANGED_NAME: 40,
    ProductState.SOLD_OUT: 50,
    ProductState.GONE_404: 10,
    ProductState.GONE_410: 10,
    ProductState.GONE_TEXT: 20,
    ProductState.BLOCKED_403: 7,
    ProductState.BLOCKED_429: 6,
    ProductState.BLOCKED_TEXT: 7,
}

_STATES = {state.value: state for state in ProductState}
_KINDS = ("코튼 셔츠", "와이드 데님", "울 니트", "Linen Shirt", "Rain Jacket", "캔버스 백", "Knit Cap", "러닝화")
_STYLES = ("오버핏", "크롭", "Classic", "세미 와이드", "Men's", '"Studio"', "S&P", "베이직", "Café", "1/2 <Half>")
_COLOURS = ("블랙", "Ivory", "네이비, 화이트", "Moss Green", "베이지", "라이트 그레이", "Brick; Red")


@dataclass(frozen=True, slots=True)
class Truth:
    """Both sides of one product. Prices are whole won. `image` is the path of the photo in the shop."""

    product_id: str
    state: ProductState
    name: str
    price: int
    in_stock: bool
    image: str
    listed_name: str
    """`listed_...` is what the catalogue expects; the fields without it are what the page says."""
    listed_price: int
    listed_in_stock: bool
    draw: int
    """A number from the same hash, 0 to 2**32 - 1, for choices that change no fact (such as the form of the markup)."""

    @property
    def verdict(self) -> Verdict:
        """The right verdict on the catalogue's row."""
        return VERDICTS[self.state]


def truth_of(product_id: str) -> Truth:
    """The truth about that product. Every id has one, and the same in every process."""
    digest = hashlib.blake2b(product_id.encode(), digest_size=24, person=b"pagemill-truth").digest()
    draws = [int.from_bytes(digest[start : start + 4], "big") for start in range(0, 24, 4)]
    state = _pinned_state(product_id) or _drawn_state(draws[0] % 1000)
    name = " ".join(
        (
            _STYLES[draws[1] % len(_STYLES)],
            _KINDS[draws[2] % len(_KINDS)],
            _COLOURS[draws[3] % len(_COLOURS)],
            f"{draws[4] % 100_000:05d}",
        )
    )
    price = 1_900 + draws[4] % 3_000 * 100
    sold_out = state is ProductState.SOLD_OUT
    # A sold-out page may also have another price; its verdict is still sold out and not changed.
    raised = state is ProductState.CHANGED_PRICE or (sold_out and draws[5] % 4 == 0)
    return Truth(
        product_id=product_id,
        state=state,
        name=name,
        price=price,
        in_stock=not sold_out,
        image=f"/img/{quote(product_id, safe='')}/0.png",
        listed_name=f"{name} (2nd edition)" if state is ProductState.CHANGED_NAME else name,
        listed_price=price + 100 * (1 + draws[5] % 50) if raised else price,
        listed_in_stock=not sold_out or draws[5] % 2 == 0,
        draw=draws[5],
    )


def _pinned_state(product_id: str) -> ProductState | None:
    _, dot, name = product_id.rpartition(".")
    return _STATES.get(name) if dot else None


def _drawn_state(permille: int) -> ProductState:
    for state, share in SHARES_PERMILLE.items():
        if permille < share:
            return state
        permille -= share
    raise AssertionError("the shares add up to 1000")
