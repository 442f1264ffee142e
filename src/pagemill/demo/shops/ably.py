"""ably: an answer that only the page may fetch; without it, state in the page; without that, meta tags and words.

Without the page's token the API says 401. An off-sale product says so in an alert, and then the page shows the day's
picks. A sold-out page fetches nothing and has no state.
"""

from __future__ import annotations

import hashlib
import re
from html import escape

from pagemill.demo.shops.answers import OTHER, PAGE, ShopAnswer, ShopRequest, cookie, data, moved, page_answer
from pagemill.demo.shops.furniture import (
    HOME,
    LOGIN,
    TODAY,
    cards,
    document,
    footer,
    front_page,
    literal,
    menu,
    next_data,
    not_found_page,
    og,
    others,
    reviews,
    script,
    won,
)
from pagemill.demo.shops.refusals import challenge
from pagemill.demo.shops.truth import ShopTruth, shop_truth

ALERT = "판매 중인 상품이 아닙니다"
_SITE = "에이블리"
_HOST = "m.a-bly.com"
_PATH = "/goods/{id}"
_PAGE = re.compile(r"/goods/(\d+)")
_API = re.compile(r"/api/v3/goods/(\d+)/basic/")
_FRONT = {"/": HOME, "/today": TODAY, "/login": LOGIN}
_LEAVES_FOR = {"gone-today": "/today", "gone-home": "/"}
_SALE_TYPES = {"sold-out-answer": "SOLD_OUT", "stopped": "SALE_STOPPED"}
_BUTTONS = {"sold-out": "품절", "restock": "재입고 알림 받기"}
_SESSION = "ably_session"
_PAGE_HEADER = "x-anonymous-token"
_FETCH = """
(async () => {
  const ask = async (id) => {
    const answer = await fetch(`/api/v3/goods/${id}/basic/`, { headers: { "x-anonymous-token": page.token } });
    return (await answer.json()).goods;
  };
  const seen = await ask(page.other);
  document.querySelector("#recent").textContent = seen.name;
  const goods = await ask(page.own);
  const prices = goods.price_info;
  document.querySelector("#name").textContent = goods.name;
  const price = prices.thumbnail_price || prices.consumer;
  document.querySelector("#price").textContent = price.toLocaleString("en-US") + "원";
})();
"""


def answer(request: ShopRequest) -> ShopAnswer:
    """The shop's answer to any request."""
    if found := _API.fullmatch(request.path):
        if request.headers.get(_PAGE_HEADER) != _token():
            return data({"detail": "Authentication credentials were not provided."}, 401)
        return data({"goods": _goods(shop_truth("ably", found[1]))})
    if found := _PAGE.fullmatch(request.path):
        return _visit(shop_truth("ably", found[1]), request)
    if (heading := _FRONT.get(request.path)) is not None:
        return page_answer(OTHER, _front(heading))
    return page_answer(OTHER, not_found_page(_SITE), 404)


def _visit(truth: ShopTruth, request: ShopRequest) -> ShopAnswer:
    name = truth.variant.name
    if name.startswith("challenge-"):
        return challenge(PAGE, _HOST, int(name.removeprefix("challenge-")))
    if name == "second-visit" and request.has_cookie(_SESSION):
        return challenge(PAGE, _HOST, 403)
    if name == "gone-redirect":
        return moved("/today")
    session = cookie(f"{_SESSION}=1")
    if (place := _LEAVES_FOR.get(name)) is not None:
        return page_answer(PAGE, _leaving(place), 200, session)
    return page_answer(PAGE, _product_page(truth), 200, session)


def _leaving(place: str) -> str:
    code = f"alert('{ALERT}');location.replace('{place}')"
    return document(_SITE, og("title", _SITE), f"<div id='__next'></div>{script(code)}", site=_SITE)


def _front(heading: str) -> str:
    """A front page also has state, in which one product is the pick of the day."""
    pick, *_ = others("ably", heading, 1)
    state = next_data({"dehydratedState": {"queries": [_query("PICK", {"goods": _goods(pick)})]}}, "/today")
    return front_page("ably", _SITE, _PATH, heading).replace("</body>", f"{state}</body>")


def _goods(truth: ShopTruth) -> dict[str, object]:
    name = truth.variant.name
    prices = {"consumer": truth.list_price, "thumbnail_price": truth.price}
    if name == "no-discount":
        del prices["thumbnail_price"]
    if name == "zero-discount":
        prices["thumbnail_price"] = 0
    return {
        "sno": int(truth.product_id),
        "name": truth.name,
        "market": {"sno": truth.draw % 9000, "name": truth.brand},
        "sale_type": _SALE_TYPES.get(name, "ON_SALE"),
        "cover_images": [truth.image, truth.image.replace("/a.jpg", "/b.jpg")],
        "price_info": prices,
        "coupon_price": truth.lower_price,
    }


def _query(key: str, value: object) -> dict[str, object]:
    return {"state": {"data": value, "status": "success"}, "queryKey": [key], "queryHash": f'["{key}"]'}


def _state(truth: ShopTruth) -> str:
    """Some KB of other queries, then the product in two of them. Only the second one says how it is sold."""
    tiles = [
        {"sno": int(other.product_id), "title": other.name, "price": other.price}
        for other in others("ably", f"{truth.product_id} state", 24)
    ]
    first = {name: value for name, value in _goods(truth).items() if name not in ("sale_type", "coupon_price")}
    queries = [
        _query("MENU", {"departments": [f"부문 {n}" for n in range(80)]}),
        _query("RECOMMENDED", {"items": tiles, "goods": None}),
        _query("GOODS_SUMMARY", {"goods": first}),
        _query("GOODS_BASIC", {"goods": _goods(truth)}),
    ]
    return next_data({"dehydratedState": {"mutations": [], "queries": queries}}, "/goods/[sno]")


def _product_page(truth: ShopTruth) -> str:
    variant = truth.variant.name
    bare, held = variant in _BUTTONS, variant == "state-only"
    head = (
        og("title", f"{truth.name} - {_SITE} 스토어") + og("image", truth.image) if bare or held else og("title", _SITE)
    )
    button = f"<button disabled>{_BUTTONS[variant]}</button>" if bare else "<button>구매하기</button>"
    body = (
        "<div class='popup' style='position:fixed;bottom:0'>앱에서 더 저렴하게"
        "<button>앱 열기</button><button>닫기</button></div>"
        f"<div id='__next'><header><a href='/'>{_SITE}</a></header>{menu('/categories')}<main>"
        f"<p id='name'>{escape(truth.name) if bare or held else ''}</p><p><b id='price'></b></p>"
        f"<p>쿠폰적용가 {won(truth.lower_price)}</p>{button}"
        "<section><h4>최근 본 상품</h4><p id='recent'></p></section>"
        + ("" if bare else reviews(truth.draw))
        + f"{cards(others('ably', truth.product_id, 18), _PATH)}</main>{footer(_SITE)}</div>"
    )
    if held:
        body += _state(truth)
    elif not bare:
        other, *_ = others("ably", truth.product_id, 1)
        ids = {"own": truth.product_id, "other": other.product_id, "token": _token()}
        body += script(f"const page = {literal(ids)};{_FETCH}")
    return document(_SITE, head, body, site=_SITE)


def _token() -> str:
    """The token that the page's script sends to the API. A visitor who never read a page does not know it."""
    return hashlib.blake2b(b"ably page", digest_size=12).hexdigest()
