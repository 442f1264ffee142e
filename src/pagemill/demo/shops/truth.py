"""What is true about a product of the six shops: a pure function of the shop and the id in the product's address.

Owns both sides of each product: what a right reading says, and what the catalogue expects. Knows nothing of HTTP or
pages. The last two digits of an id choose its variant. `00` to `49` draw one by a hash of the id. `50` and more are
pinned to the variants of the shop's table in order (`50` is the first); after its end they draw as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pagemill.demo.shops.names import TAILS, WORDS
from pagemill.demo.shops.variants import VARIANTS, Variant
from pagemill.errors import UsageError
from pagemill.model import FactValue, Verdict

PINNED_FROM = 50
RESIZED = "?format=webp&size=600x600&fit=inside"
"""What catalogues add to the address of a thumbnail, and shops do not."""

_FIRST_SERIAL = {
    "musinsa": 43_502,
    "ably": 324_389,
    "zigzag": 1_570_012,
    "kurly": 10_002_849,
    "oliveyoung": 2_318,
    "hwahae": 615,
}
_OLIVEYOUNG_DIGITS = 12


@dataclass(frozen=True, slots=True)
class ShopTruth:
    """Both sides of one product. Prices are whole won.

    `name`, `image`, `list_price` and `price` are those of a right reading; `listed_...` are what the catalogue expects.
    `base_price` and `lower_price` are other prices that the shop shows: an older one between `price` and `list_price`,
    and one with a coupon that not everybody has.
    """

    shop: str
    product_id: str
    variant: Variant
    name: str
    brand: str
    image: str
    list_price: int
    price: int
    base_price: int
    lower_price: int
    discount_percent: int
    listed_name: str
    listed_image: str
    listed_price: int
    draw: int
    """A number from the same hash, 0 to 2**32 - 1, for choices that change no fact."""

    @property
    def verdict(self) -> Verdict:
        """The right verdict on the catalogue's row."""
        return self.variant.verdict

    @property
    def facts(self) -> Mapping[str, FactValue]:
        """The facts of a right reading; none if the shop says nothing of the product."""
        every: dict[str, FactValue] = {
            "name": self.name,
            "image": self.image,
            "list_price": self.list_price,
            "price": self.price,
        }
        said = {name: value for name, value in every.items() if name in self.variant.says}
        return {**said, "status": self.variant.status} if self.variant.status else said

    @property
    def expected(self) -> Mapping[str, FactValue]:
        """What the catalogue expects: the product on sale, at the prices that it knows."""
        return {
            "name": self.listed_name,
            "image": self.listed_image,
            "list_price": self.list_price,
            "price": self.listed_price,
            "status": "on_sale",
        }


def shop_truth(shop: str, product_id: str) -> ShopTruth:
    """The truth about that product. Every id has one, and the same in every process.

    Raises:
        UsageError: there is no such shop.
    """
    draws = _draws(shop, product_id)
    variant = variant_of(shop, product_id)
    brands, goods = WORDS[shop]
    brand, tail = brands[draws[1] % len(brands)], TAILS[draws[3] % len(TAILS)]
    name = f"{goods[draws[2] % len(goods)]} {draws[4] % 10_000:04d}{tail}"
    if draws[0] % 3 == 0:
        name = f"[{brand}] {name}"
    shop_list_price = 3_900 + draws[5] % 500 * 100
    percent = 5 + draws[4] % 9 * 5
    sale_price = shop_list_price * (100 - percent) // 100
    base_price = (sale_price + shop_list_price) // 2
    price = {"sale": sale_price, "list": shop_list_price, "base": base_price}[variant.price]
    image = _image(shop, product_id)
    behind = variant.drift == "price"
    return ShopTruth(
        shop=shop,
        product_id=product_id,
        variant=variant,
        name=name,
        brand=brand,
        image=image,
        list_price=shop_list_price,
        price=price,
        base_price=base_price,
        lower_price=price - price // 10,
        discount_percent=percent,
        listed_name=f"{name} 리뉴얼" if variant.drift == "name" else name,
        listed_image=image.partition("?")[0] + (RESIZED if draws[0] % 2 else ""),
        listed_price=price + 100 * (1 + draws[0] % 20) if behind else price,
        draw=draws[0],
    )


def variant_of(shop: str, product_id: str) -> Variant:
    """The variant that the id is pinned to, or else the one that is drawn for it.

    Raises:
        UsageError: there is no such shop.
    """
    variants = _variants(shop)
    ending = product_id[-2:]
    place = int(ending) - PINNED_FROM if ending.isascii() and ending.isdecimal() else -1
    if 0 <= place < len(variants):
        return variants[place]
    drawn = _draws(shop, product_id)[6] % sum(variant.weight for variant in variants)
    for variant in variants:
        if drawn < variant.weight:
            return variant
        drawn -= variant.weight
    raise AssertionError("the weights add up to their sum")


def pinned_id(shop: str, serial: int, variant_name: str) -> str:
    """The id of the shop's product with that number (from 0) and that variant.

    Raises:
        UsageError: the shop has no such variant, or there is no such shop.
    """
    names = [variant.name for variant in _variants(shop)]
    if variant_name not in names:
        raise UsageError(f"{shop} has no variant {variant_name!r}: use one of {', '.join(names)}")
    return _id(shop, serial, PINNED_FROM + names.index(variant_name))


def drawn_id(shop: str, serial: int) -> str:
    """The id of the shop's product with that number (from 0) and a drawn variant.

    Raises:
        UsageError: there is no such shop.
    """
    _variants(shop)
    return _id(shop, serial, serial % PINNED_FROM)


def _variants(shop: str) -> tuple[Variant, ...]:
    if shop not in VARIANTS:
        raise UsageError(f"there is no practice shop {shop!r}: use one of {', '.join(VARIANTS)}")
    return VARIANTS[shop]


def _id(shop: str, serial: int, ending: int) -> str:
    digits = f"{_FIRST_SERIAL[shop] + serial}{ending:02d}"
    return f"A{digits:0>{_OLIVEYOUNG_DIGITS}}" if shop == "oliveyoung" else digits


def _draws(shop: str, product_id: str) -> list[int]:
    digest = hashlib.blake2b(f"{shop} {product_id}".encode(), digest_size=28, person=b"pagemill-shops").digest()
    return [int.from_bytes(digest[start : start + 4], "big") for start in range(0, 28, 4)]


def _image(shop: str, product_id: str) -> str:
    """The thumbnail's address in a right reading. It has a query only if the shop's own reader keeps it."""
    match shop:
        case "musinsa":
            return f"https://image.msscdn.net/thumbnails/images/goods_img/20250101/{product_id}/{product_id}_1_500.jpg"
        case "zigzag":
            return f"https://cdn.example/{product_id}/main.jpg?width=720"
        case "oliveyoung":
            return f"https://image.oliveyoung.co.kr/cfimages/cf-goods/uploads/images/thumbnails/{product_id}01ko.jpg"
        case _:
            return f"https://cdn.example/{shop}/{product_id}/a.jpg"
