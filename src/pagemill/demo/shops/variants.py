"""Every variant of every shop: how it answers, and the right verdict and facts.

Pure tables, made from the notes on the real shops. The shops' modules act on `what`; `truth` draws from here. A
variant's position in its shop's table is a part of the ids that are pinned to it, so add new ones at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pagemill.model import Verdict

FIELDS = ("name", "image", "list_price", "price", "status")
"""The fields that every shop's catalogue expects and every right reading has."""

STATUSES = ("on_sale", "sold_out", "off_sale")

_ALL = frozenset({"name", "image", "list_price", "price"})


@dataclass(frozen=True, slots=True)
class Variant:
    """One form in which a shop answers for a product.

    `status` is the fact of that name, `None` if the shop says nothing of the product; `says` are the other facts that
    it says. `price` is which price is right: the `sale` price, the `list` price (without a discount) or the `base`
    price between them. `drift` is the field in which the catalogue is outdated. `link` is the form of the catalogue's
    address. `weight` is how often the variant is drawn, relative to the shop's others.
    """

    name: str
    what: str
    verdict: Verdict = Verdict.OK
    status: str | None = "on_sale"
    weight: int = 2
    says: frozenset[str] = _ALL
    price: Literal["sale", "list", "base"] = "sale"
    drift: Literal["", "name", "price"] = ""
    link: str = ""


def _on_sale(what: str) -> Variant:
    return Variant("on-sale", what, weight=30)


def _changed(what: str) -> tuple[Variant, ...]:
    """Variants in which the catalogue is outdated; the shop does not know of that."""
    return (
        Variant("changed-price", f"{what}; the catalogue expects another sale price", Verdict.CHANGED, drift="price"),
        Variant("changed-name", f"{what}; the catalogue expects another name", Verdict.CHANGED, drift="name"),
    )


def _sold_out(name: str, what: str, says: frozenset[str] = _ALL, price: Literal["sale", "base"] = "sale") -> Variant:
    return Variant(name, what, Verdict.SOLD_OUT, "sold_out", says=says, price=price)


def _off_sale(name: str, what: str) -> Variant:
    return Variant(name, what, Verdict.OFF_SALE, "off_sale")


def _silent(name: str, what: str, verdict: Verdict, weight: int = 1) -> Variant:
    """A variant in which the shop says nothing of the product."""
    return Variant(name, what, verdict, None, weight, frozenset())


_MUSINSA = (
    _on_sale("`goodsSaleType` SALE"),
    Variant("coupon", "`couponDiscount` true: `couponPrice` is the right sale price, `salePrice` is not"),
    Variant("no-list-price", "`normalPrice` 0: the sale price is the list price as well", price="list"),
    Variant("page-only", "the API answers 503 to those who were not on the page; the page's own request is answered"),
    *_changed("`goodsSaleType` SALE"),
    _sold_out("sold-out", "`goodsSaleType` SOLDOUT"),
    _off_sale("stop-sale", "`goodsSaleType` STOP_SALE"),
    _off_sale("members-only", "`goodsSaleType` SALE, but `isBuyForMember` true"),
    _silent("gone-404", "404, and `meta.errorCode` DISPLAY_000_0006 in its body", Verdict.GONE),
    _silent("gone-200", "200, and `meta.errorCode` DISPLAY_000_0006", Verdict.GONE),
    _silent("gone-no-item", "200, and `meta.errorCode` DISPLAY_000_0002", Verdict.GONE),
    _silent("gone-not-found", "404, and `meta.errorCode` NOT_FOUND in its body", Verdict.GONE),
    _silent("error-code", "200 without data, and an error code that means a passing trouble", Verdict.FAILED),
)

_ABLY = (
    _on_sale("the page fetches the answer; `thumbnail_price` is the sale price"),
    Variant("no-discount", "no `thumbnail_price`: `consumer` is both prices", price="list"),
    Variant("zero-discount", "`thumbnail_price` 0: `consumer` is both prices", price="list"),
    Variant("state-only", "no answer is fetched: the state in the page has the facts, behind other state"),
    Variant("second-visit", "a visitor who was on a page before is challenged (403), a fresh one is not"),
    *_changed("as on sale"),
    _sold_out(
        "sold-out",
        "no answer and no state: `og:title`, `og:image` and a button 품절",
        frozenset({"name", "image"}),
    ),
    _sold_out("restock", "the same with a button 재입고 알림", frozenset({"name", "image"})),
    _sold_out("sold-out-answer", "the answer says `sale_type` SOLD_OUT"),
    _off_sale("stopped", "the answer says another `sale_type`"),
    _silent("gone-today", "`alert` 판매 중인 상품이 아닙니다, then `location.replace('/today')`", Verdict.GONE),
    _silent("gone-home", "the same alert, then the home page", Verdict.GONE),
    _silent("gone-redirect", "302 to `/today`", Verdict.GONE),
    _silent("challenge-403", "403, title 잠시만 기다리십시오…", Verdict.BLOCKED),
    _silent("challenge-200", "200, title 잠시만 기다리십시오…", Verdict.BLOCKED),
)

_ZIGZAG = (
    _on_sale("`sales_status` ON_SALE"),
    Variant("no-discount", "`final_discount_info` null: the list price is the sale price", price="list"),
    Variant("zero-discount", "`discount_price` 0: the list price is the sale price", price="list"),
    Variant("shop-coupon", "badge 쿠폰할인가, no additional price: `discount_price` is right"),
    Variant("shop-badge", "badge 직잭픽 at the additional price, which is the right one"),
    Variant(
        "first-purchase", "badge 첫구매쿠폰 at the additional price: `final_price` is right, `discount_price` is not"
    ),
    Variant("mixed-items", "no status of the product; its items are SOLD_OUT, then ON_SALE"),
    Variant("store-link", "as on sale; the catalogue has a link of store.zigzag.kr", link="store"),
    *_changed("`sales_status` ON_SALE"),
    _sold_out("sold-out", "product and all items SOLD_OUT"),
    _sold_out("items-sold-out", "no status of the product; all items SOLD_OUT"),
    _off_sale("suspended", "`sales_status` SUSPENDED, HIDDEN; the items still say ON_SALE"),
    _off_sale("unknown-status", "a `sales_status` that nobody knows"),
    _off_sale("no-items", "neither a status nor items"),
    _silent("gone-null", "200, `pdp_option_info` null", Verdict.GONE),
    _silent("gone-null-product", "200, `catalog_product` null", Verdict.GONE),
    _silent("gone-404", "404", Verdict.GONE),
    _silent("graphql-error", "200, `errors`, and null as its consequence: no word about the product", Verdict.FAILED),
)

_KURLY = (
    _on_sale("`isSoldOut` false; `retailPrice`, `discountedPrice`"),
    Variant("no-discount", "`retailPrice` and `discountedPrice` null: `basePrice` is both prices", price="list"),
    Variant("zero-discount", "`discountedPrice` 0: `basePrice` is the sale price", price="base"),
    *_changed("`isSoldOut` false"),
    _sold_out("sold-out", "`isSoldOut` true, `discountedPrice` null: `basePrice` is the sale price", price="base"),
    _off_sale("unclear-stock", "`isSoldOut` null"),
    _off_sale("no-stock-word", "no `isSoldOut`"),
    _silent("gone", "`pageProps` without product; `og:title` is that of the site", Verdict.GONE),
    _silent("gone-no-name", "the product's name is empty, and its prices are null or 0", Verdict.GONE),
    _silent("gone-no-state", "no state; title 페이지를 찾을 수 없습니다", Verdict.GONE),
)

_OLIVEYOUNG = (
    _on_sale("price `16,000원10%14,400원 ~`; buttons 장바구니 and 바로구매; a review and a hidden button say 품절"),
    Variant("no-discount", "price without a percentage, such as `9900원`", price="list"),
    Variant("desktop-link", "as on sale; the catalogue has a link of the desktop site", link="desktop"),
    Variant("desktop-layout", "the mobile address shows the desktop page: `#Contents .prd_name`, `a.btnBuy`"),
    *_changed("as on sale"),
    _sold_out("temporarily-out", "one button 일시품절"),
    _sold_out("sold-out", "one button 품절"),
    _sold_out("desktop-sold-out", "the desktop page with `.btnSoldout`"),
    _off_sale("stopped", "one button 판매중지"),
    _silent("gone-title", "200, `.error_title` 상품을 찾을 수 없어요", Verdict.GONE),
    _silent("gone-redirect", "302 to `nogoods.do`, which shows other products", Verdict.GONE),
)

_HWAHAE = (
    _on_sale("`sale_status` SELNG"),
    Variant("no-list-price", "`consumer_price` 0: the sale price is the list price as well", price="list"),
    Variant("named-link", "as on sale; the catalogue's link has the product's name before its id", link="named"),
    *_changed("`sale_status` SELNG"),
    _sold_out("sold-out", "`sale_status` SLDOT"),
    _off_sale("stopped", "`sale_status` STSEL"),
    _silent("gone-404", "404", Verdict.GONE, weight=2),
    _silent("refused", "403, `ERROR: The request could not be satisfied`", Verdict.BLOCKED),
)

VARIANTS: Mapping[str, tuple[Variant, ...]] = MappingProxyType(
    {
        "musinsa": _MUSINSA,
        "ably": _ABLY,
        "zigzag": _ZIGZAG,
        "kurly": _KURLY,
        "oliveyoung": _OLIVEYOUNG,
        "hwahae": _HWAHAE,
    }
)
"""The variants of each shop."""
