"""Catalogues of the six shops, as a user would have them, each row with the right verdict and facts.

Owns which products are asked for, the forms of their links, and the comparison of a result with the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pagemill.demo.catalogue import write_catalogue_csv
from pagemill.demo.shops.addresses import ADDRESSES
from pagemill.demo.shops.truth import ShopTruth, drawn_id, pinned_id, shop_truth
from pagemill.demo.shops.variants import FIELDS, VARIANTS
from pagemill.errors import UsageError
from pagemill.model import Facts, FactValue, Product, Verdict

COLUMNS = ("id", "url", *FIELDS)

_PRICES = ("list_price", "price")
_SEED_STEP = 1_000_000
"""The distance between the products of two seeds. Longer catalogues share some products."""


@dataclass(frozen=True, slots=True)
class ShopRow:
    """One product, and the truth about it. The row's id is the catalogue's own, and not the shop's."""

    product: Product
    truth: ShopTruth

    @property
    def right_verdict(self) -> Verdict:
        """The one verdict that is right."""
        return self.truth.verdict

    @property
    def right_facts(self) -> Facts:
        """The facts of a right reading, see `ShopTruth.facts`."""
        return self.truth.facts

    def mistakes(self, verdict: Verdict, facts: Facts) -> tuple[str, ...]:
        """What is wrong in a result, in words; empty if it is right.

        If the shop shows the product, every field that it says must be exactly right. A field that it does not say must
        be missing or `None`, because a value would be another product's. If the shop does not show the product, only
        prices must be missing.
        """
        variant = self.truth.variant
        found = [] if verdict is self.right_verdict else [f"{verdict.value} instead of {self.right_verdict.value}"]
        fields = FIELDS if variant.status is not None else _PRICES
        for name in fields:
            right, said = self.right_facts.get(name), facts.get(name)
            if not _is_same(right, said):
                found.append(f"{name} is {said!r} instead of {right!r}")
        return tuple(found)


def generate_shop(shop: str, base_url: str, count: int, *, seed: int = 0) -> Iterator[ShopRow]:
    """Yields `count` rows of a shop one at a time, in flat memory. The same arguments give the same rows.

    The first rows have each variant of the shop once, in the order of its table. The variants of all others are drawn.

    Args:
        shop: one of `addresses.SHOPS`.
        base_url: the address of that shop, see `addresses.shop_url`.
        count: how many rows.
        seed: another seed gives other products.

    Raises:
        UsageError: there is no such shop. Raised by the call, and not at the first row.
    """
    if shop not in ADDRESSES:
        raise UsageError(f"there is no practice shop {shop!r}: use one of {', '.join(ADDRESSES)}")
    return _rows(shop, base_url.rstrip("/"), count, seed)


def write_shop_csv(path: Path, rows: Iterable[ShopRow]) -> int:
    """Writes the rows as UTF-8 CSV with the columns `COLUMNS`. Returns the number of rows."""
    return write_catalogue_csv(path, rows, COLUMNS)


def _rows(shop: str, base_url: str, count: int, seed: int) -> Iterator[ShopRow]:
    variants = VARIANTS[shop]
    row_prefix = f"{shop}-" + (f"s{seed}-" if seed else "")
    for number in range(count):
        serial = seed * _SEED_STEP + number
        pinned = number < len(variants)
        product_id = pinned_id(shop, serial, variants[number].name) if pinned else drawn_id(shop, serial)
        truth = shop_truth(shop, product_id)
        yield ShopRow(Product(f"{row_prefix}{number:06d}", _link(truth, base_url), truth.expected), truth)


def _link(truth: ShopTruth, base_url: str) -> str:
    """The product's address in the form that catalogues have."""
    product_id, link = truth.product_id, truth.variant.link
    match truth.shop:
        case "musinsa":
            path = f"/products/{product_id}"
        case "zigzag":
            path = f"{'/app' if link else ''}/catalog/products/{product_id}"
        case "oliveyoung" if link:
            path = f"/store/{'G.do' if truth.draw % 2 else 'goods/getGoodsDetail.do'}?goodsNo={product_id}"
        case "oliveyoung":
            path = f"/m/goods/getGoodsDetail.do?goodsNo={product_id}"
        case "hwahae" if link:
            path = f"/goods/{quote(truth.name, safe='')}/{product_id}?goods_tab=review_ingredients"
        case _:
            path = f"/goods/{product_id}"
    return base_url + path


def _is_same(right: FactValue, said: FactValue) -> bool:
    if isinstance(right, int) and isinstance(said, float):
        return right == said
    return type(right) is type(said) and right == said
