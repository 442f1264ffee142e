"""hwahae: its pages refuse every browser; its API answers those who ask like its own page in desktop Chrome.

The answer is flat and has an enumeration of states. Without that browser's headers, or with those of a headless one,
the API refuses as the pages do.
"""

from __future__ import annotations

import re

from pagemill.demo.shops.answers import API, OTHER, PAGE, ShopAnswer, ShopRequest, data
from pagemill.demo.shops.refusals import refused
from pagemill.demo.shops.truth import ShopTruth, shop_truth

_API = re.compile(r"/v14/commerce/goods/(\d+)")
_PAGE = re.compile(r"/(?:goods|products)/.*")
_STATES = {"sold-out": "SLDOT", "stopped": "STSEL"}


def answer(request: ShopRequest) -> ShopAnswer:
    """The shop's answer to any request."""
    found = _API.fullmatch(request.path)
    if found is None:
        return refused(PAGE if _PAGE.fullmatch(request.path) else OTHER)
    truth = shop_truth("hwahae", found[1])
    if truth.variant.name == "refused" or not _is_welcome(request):
        return refused(API)
    if truth.variant.name == "gone-404":
        return data({"code": "NOT_FOUND", "message": "존재하지 않는 상품입니다"}, 404)
    return data(_goods(truth))


def _is_welcome(request: ShopRequest) -> bool:
    headers = request.headers
    agent = headers.get("user-agent", "")
    return (
        "Chrome/" in agent
        and "Headless" not in agent
        and "sec-ch-ua" in headers
        and headers.get("referer") == f"{request.base_url}/"
        and "origin" not in headers
    )


def _goods(truth: ShopTruth) -> dict[str, object]:
    name = truth.variant.name
    return {
        "id": int(truth.product_id),
        "name": truth.name,
        "title_images": [truth.image, truth.image.replace("/a.jpg", "/b.jpg")],
        "consumer_price": 0 if name == "no-list-price" else truth.list_price,
        "price": truth.price,
        "discount_rate": truth.discount_percent,
        "sale_status": _STATES.get(name, "SELNG"),
        "capacity": "50ml",
        "coupons": [{"name": "첫 구매 쿠폰", "price": truth.lower_price}],
    }
