"""musinsa: an API answer with prices and an enumeration of states; error codes in the body, also with status 404.

Before its own product, the page asks the API for another one, and afterwards for its own product's options. The page's
JSON-LD has the price without a coupon.
"""

from __future__ import annotations

import re
from html import escape

from pagemill.demo.shops.answers import OTHER, PAGE, ShopAnswer, ShopRequest, cookie, data, page_answer
from pagemill.demo.shops.furniture import (
    HOME,
    LOGIN,
    document,
    footer,
    front_page,
    hashed,
    literal,
    menu,
    not_found_page,
    og,
    others,
    reviews,
    script,
    won,
)
from pagemill.demo.shops.truth import ShopTruth, shop_truth

_SITE = "무신사"
_PATH = "/products/{id}"
_IMAGES = "https://image.msscdn.net"
_PAGE = re.compile(r"/products/(\d+)")
_API = re.compile(r"/api2/goods/(\d+)(/options|/curation)?")
_CODES = {
    "gone-404": (404, "DISPLAY_000_0006"),
    "gone-200": (200, "DISPLAY_000_0006"),
    "gone-no-item": (200, "DISPLAY_000_0002"),
    "gone-not-found": (404, "NOT_FOUND"),
    "error-code": (200, "DISPLAY_000_0099"),
}
_SALE_TYPES = {"sold-out": "SOLDOUT", "stop-sale": "STOP_SALE"}
_VISITED = "mss_visit"
_FETCH = """
(async () => {
  const ask = async (path) => (await fetch(path)).json();
  const won = (price) => price.toLocaleString("en-US") + "원";
  const seen = await ask("/api2/goods/" + ids.other);
  document.querySelector("#recent").textContent = seen.data.goodsNm + " " + won(seen.data.goodsPrice.salePrice);
  const { data } = await ask("/api2/goods/" + ids.own);
  ask("/api2/goods/" + ids.own + "/options").catch(() => {});
  ask("/api2/goods/" + ids.own + "/curation").catch(() => {});
  if (!data) return;
  const prices = data.goodsPrice;
  document.querySelector("#price").textContent = won(prices.couponDiscount ? prices.couponPrice : prices.salePrice);
})();
"""


def answer(request: ShopRequest) -> ShopAnswer:
    """The shop's answer to any request."""
    if found := _API.fullmatch(request.path):
        truth = shop_truth("musinsa", found[1])
        if truth.variant.name == "page-only" and not request.has_cookie(_VISITED):
            return data(_error("SYSTEM_BUSY"), 503)
        return _part(truth, found[2]) if found[2] else _goods(truth)
    if found := _PAGE.fullmatch(request.path):
        return page_answer(PAGE, _product_page(shop_truth("musinsa", found[1])), 200, cookie(f"{_VISITED}=1"))
    if request.path in ("/", "/auth/login"):
        return page_answer(OTHER, front_page("musinsa", _SITE, _PATH, HOME if request.path == "/" else LOGIN))
    return page_answer(OTHER, not_found_page(_SITE), 404)


def _goods(truth: ShopTruth) -> ShopAnswer:
    name = truth.variant.name
    if name in _CODES:
        status, code = _CODES[name]
        return data(_error(code), status)
    has_coupon = name == "coupon"
    sale_price = truth.base_price if has_coupon else truth.price
    return data(
        {
            "meta": {"result": "SUCCESS", "errorCode": "", "message": ""},
            "data": {
                "goodsNo": int(truth.product_id),
                "goodsNm": truth.name,
                "goodsNmEng": "",
                "thumbnailImageUrl": truth.image.removeprefix(_IMAGES),
                "goodsImages": [
                    {"imageUrl": truth.image.removeprefix(_IMAGES).replace("_1_", f"_{n}_")} for n in (2, 3)
                ],
                "goodsSaleType": _SALE_TYPES.get(name, "SALE"),
                "isBuyForMember": name == "members-only",
                "goodsPrice": {
                    "normalPrice": 0 if name == "no-list-price" else truth.list_price,
                    "salePrice": sale_price,
                    "couponPrice": truth.price if has_coupon else sale_price,
                    "couponDiscount": has_coupon,
                    "discountRate": truth.discount_percent,
                },
                "relatedGoods": [_related(other) for other in others("musinsa", truth.product_id, 3)],
            },
        }
    )


def _related(other: ShopTruth) -> dict[str, object]:
    prices = {"normalPrice": other.list_price, "salePrice": other.price}
    return {"goodsNo": int(other.product_id), "goodsNm": other.name, "goodsPrice": prices}


def _part(truth: ShopTruth, part: str) -> ShopAnswer:
    """Options and recommendations: answers below the product's own address that are not about the product itself."""
    items = [_related(other) for other in others("musinsa", f"{truth.product_id}{part}", 4)]
    return data({"meta": {"result": "SUCCESS", "errorCode": ""}, "data": {"items": items}})


def _error(code: str) -> dict[str, object]:
    return {"meta": {"result": "FAIL", "errorCode": code, "message": "요청을 처리할 수 없습니다"}, "data": None}


def _product_page(truth: ShopTruth) -> str:
    own, other = truth.product_id, others("musinsa", truth.product_id, 1)[0]
    there = truth.variant.status is not None
    head = (
        og("title", f"{truth.name} - 사이즈 & 후기 | {_SITE}") + og("image", truth.image)
        if there
        else og("title", _SITE)
    )
    if there:
        head += f'<script type="application/ld+json">{literal(_json_ld(truth))}</script>'
    body = (
        f"<div id='root'><header><a href='/'>{_SITE}</a></header>{menu('/category')}<main>"
        + (_product(truth) if there else "<p>요청하신 상품을 불러올 수 없습니다</p><p id='price'></p>")
        + f"<section><h4>최근 본 상품</h4><p id='recent'></p></section>{_tiles(truth)}{reviews(truth.draw)}</main>"
        + f"{footer(_SITE)}</div>"
        + script(f"const ids = {literal({'own': own, 'other': other.product_id})};{_FETCH}")
    )
    return document(f"{truth.name} | {_SITE}" if there else _SITE, head, body, site=_SITE)


def _product(truth: ShopTruth) -> str:
    on_sale = truth.variant.status == "on_sale"
    return (
        f'<img src="{truth.image}" alt="Thumbnail 0"><span class="GoodsName-sc-{hashed("n", truth.draw)}">'
        f'{escape(truth.name)}</span><div class="Price__DiscountWrap-sc-{hashed("d", truth.draw)}">'
        f'<span class="line-through">{won(truth.list_price)}</span> {truth.discount_percent}%'
        f'<span id="price" class="Price__CalculatedPrice-sc-{hashed("c", truth.draw)}"></span></div>'
        f"<button{'' if on_sale else ' disabled'}>{'구매하기' if on_sale else '품절'}</button>"
    )


def _json_ld(truth: ShopTruth) -> dict[str, object]:
    stock = "InStock" if truth.variant.status == "on_sale" else "OutOfStock"
    offer = {
        "@type": "Offer",
        "price": truth.base_price,
        "priceCurrency": "KRW",
        "availability": f"https://schema.org/{stock}",
    }
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": truth.name,
        "image": truth.image,
        "offers": offer,
    }


def _tiles(truth: ShopTruth) -> str:
    tiles = [
        f'<a class="gtm-view-item-list" href="/products/{other.product_id}" data-item-id="{other.product_id}" '
        f'data-price="{other.price}" data-original-price="{other.list_price}" data-item-brand="{escape(other.brand)}" '
        f'data-discount-rate="{other.discount_percent}"><span>{escape(other.name)}</span><b>{won(other.price)}</b></a>'
        for other in others("musinsa", f"{truth.product_id} tiles", 16)
    ]
    return f"<section><h4>함께 본 상품</h4>{''.join(tiles)}</section>"
