"""kurly: prices and state only in the page's JSON, after several KB of other state; nulls and zeros among the prices.

Beside the price, the page shows coupons that not everybody has. A page without its product still has the site's own
title and picture.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from pagemill.demo.shops.answers import OTHER, PAGE, ShopAnswer, ShopRequest, data, page_answer
from pagemill.demo.shops.furniture import (
    HOME,
    LOGIN,
    cards,
    document,
    footer,
    front_page,
    menu,
    next_data,
    not_found_page,
    og,
    others,
    reviews,
    script,
    won,
)
from pagemill.demo.shops.truth import ShopTruth, shop_truth

_SITE = "컬리"
_SITE_TITLE = "마켓컬리 - 내일의 장보기, 컬리"
_PATH = "/goods/{id}"
_PAGE = re.compile(r"/goods/(\d+)")
_API = re.compile(r"/api/recommend/goods/(\d+)")
_FETCH = """
fetch(location.pathname.replace("/goods/", "/api/recommend/goods/"))
  .then((answer) => answer.json())
  .then(({ data }) => { document.querySelector("#recommended").textContent = data.map((one) => one.name).join(", "); });
"""


def answer(request: ShopRequest) -> ShopAnswer:
    """The shop's answer to any request."""
    if found := _PAGE.fullmatch(request.path):
        return page_answer(PAGE, _product_page(shop_truth("kurly", found[1])))
    if found := _API.fullmatch(request.path):
        shown = others("kurly", f"{found[1]} recommended", 8)
        return data({"data": [{"no": int(one.product_id), "name": one.name, "salesPrice": one.price} for one in shown]})
    if request.path in ("/", "/member/login"):
        return page_answer(OTHER, front_page("kurly", _SITE, _PATH, HOME if request.path == "/" else LOGIN))
    return page_answer(OTHER, not_found_page(_SITE), 404)


def _product(truth: ShopTruth) -> dict[str, Any]:
    name = truth.variant.name
    base_price, retail_price, discounted_price = truth.base_price, truth.list_price, truth.price
    prices: dict[str, int | None] = {"retailPrice": retail_price, "basePrice": base_price}
    match name:
        case "no-discount":
            prices |= {"retailPrice": None, "basePrice": truth.price, "discountedPrice": None}
        case "zero-discount":
            prices["discountedPrice"] = 0
        case "sold-out":
            prices["discountedPrice"] = None
        case "gone-no-name":  # remains of such a page
            prices = {"retailPrice": None, "basePrice": 0, "discountedPrice": None}
        case _:
            prices["discountedPrice"] = discounted_price
    product: dict[str, Any] = {
        "no": int(truth.product_id),
        "name": "" if name == "gone-no-name" else truth.name,
        "shortDescription": "오늘 아침에 도착합니다",
        "mainImageUrl": f"{truth.image}?v={truth.draw % 90}",
        "discountRate": truth.discount_percent,
        "isSoldOut": {"sold-out": True, "unclear-stock": None}.get(name, False),
        "brandInfo": {"nameGate": {"name": truth.brand}},
        "dealProducts": [
            {"no": n, "name": f"{truth.name} {n + 1}호", "basePrice": base_price + n * 1000} for n in range(2)
        ],
        **prices,
    }
    if name == "no-stock-word":
        del product["isSoldOut"]
    if truth.draw % 4 == 0:
        del product["brandInfo"]
    return product


def _page_props(truth: ShopTruth) -> dict[str, Any]:
    """The product comes last, after the site's menus and other products with the same keys."""
    shelf = [
        {"no": int(one.product_id), "name": one.name, "basePrice": one.price, "isSoldOut": n % 5 == 0}
        for n, one in enumerate(others("kurly", f"{truth.product_id} state", 40))
    ]
    props: dict[str, Any] = {
        "initialState": {"menus": [{"code": f"{n:03d}", "name": f"분류 {n}"} for n in range(60)], "shelf": shelf},
        "session": {"isLogin": False, "product": None},
        "productCode": truth.product_id,
    }
    if truth.variant.name != "gone":
        props["product"] = _product(truth)
    return props


def _product_page(truth: ShopTruth) -> str:
    name = truth.variant.name
    if name == "gone-no-state":
        return not_found_page(_SITE)
    there = truth.variant.status is not None
    head = og("title", truth.name if there else _SITE_TITLE)
    head += og("image", f"{truth.image}?v=2" if there else "https://cdn.example/kurly.png")
    body = (
        f"<div id='__next'><header><a href='/'>{_SITE}</a></header>{menu('/categories')}<main>"
        + (_shown(truth) if there else "<p>상품 정보를 불러오는 중입니다</p>")
        + f"{reviews(truth.draw)}<p id='recommended'></p>{cards(others('kurly', truth.product_id, 18), _PATH)}"
        f"</main>{footer(_SITE)}</div>{next_data(_page_props(truth), '/goods/[productCode]')}{script(_FETCH)}"
    )
    return document(f"{truth.name} - {_SITE}" if there else _SITE_TITLE, head, body, site=_SITE)


def _shown(truth: ShopTruth) -> str:
    button = "장바구니 담기" if truth.variant.status == "on_sale" else "재입고 알림 받기"
    return (
        f"<h1>{escape(truth.name)}</h1>"
        f"<p><b>{truth.discount_percent}%</b> {won(truth.price)} <s>{won(truth.list_price)}</s></p>"
        f"<p><em>+10%쿠폰</em> <em>첫구매 최대혜택가 {won(truth.lower_price)}</em></p><button>{button}</button>"
    )
