"""oliveyoung: facts only in elements, whose class names change with every build; two layouts; words on buttons.

A script builds the mobile page. A sheet that asks to open the app covers it. A review and a hidden button say 품절. The
first image of all is the shop's logo.
"""

from __future__ import annotations

import re
from html import escape

from pagemill.demo.shops.answers import API, OTHER, PAGE, ShopAnswer, ShopRequest, data, moved, page_answer
from pagemill.demo.shops.furniture import (
    HOME,
    LOGIN,
    cards,
    document,
    footer,
    front_page,
    hashed,
    menu,
    not_found_page,
    og,
    others,
    reviews,
    script,
    won,
)
from pagemill.demo.shops.truth import ShopTruth, shop_truth

GONE_TEXT = "상품을 찾을 수 없어요"
_SITE = "올리브영"
_PATH = "/m/goods/getGoodsDetail.do?goodsNo={id}"
_ID = re.compile(r"A\d{12}")
_MOBILE = "/m/goods/getGoodsDetail.do"
_DESKTOP = ("/store/goods/getGoodsDetail.do", "/store/G.do")
_GONE = "/m/goods/nogoods.do"
_VIEW = "/goods/view/detail"
_BUTTONS = {"temporarily-out": "일시품절", "sold-out": "품절", "stopped": "판매중지"}
_FETCH = f"""
(async () => {{
  const view = await (await fetch("{_VIEW}" + location.search)).json();
  document.querySelector("main").innerHTML = view.html;
}})();
"""


def answer(request: ShopRequest) -> ShopAnswer:
    """The shop's answer to any request."""
    product_id = request.query.get("goodsNo", "")
    if request.path in (_MOBILE, _VIEW, *_DESKTOP) and _ID.fullmatch(product_id):
        truth = shop_truth("oliveyoung", product_id)
        if request.path == _VIEW:
            return data({"html": _mobile_view(truth)}, kind=API)
        return _visit(truth, is_mobile=request.path == _MOBILE)
    if request.path == _GONE:
        return page_answer(OTHER, _gone_page())
    if request.path in ("/", "/m/mtn", "/m/login/loginForm.do"):
        return page_answer(OTHER, front_page("oliveyoung", _SITE, _PATH, LOGIN if "login" in request.path else HOME))
    return page_answer(OTHER, not_found_page(_SITE), 404)


def _visit(truth: ShopTruth, *, is_mobile: bool) -> ShopAnswer:
    name = truth.variant.name
    if name == "gone-redirect":
        return moved(_GONE)
    if name == "gone-title":
        body = f"<header>{_logo()}</header><main><h1 class='error_title'>{GONE_TEXT}</h1>"
        body += f"<a href='/m/mtn'>홈으로</a></main>{footer(_SITE)}"
        return page_answer(PAGE, document(_SITE, og("title", _SITE), body, site=_SITE))
    if name.startswith("desktop-") and name != "desktop-link":
        is_mobile = False
    return page_answer(PAGE, _mobile_page() if is_mobile else _desktop_page(truth))


def _logo() -> str:
    return "<a href='/'><img src='https://static.oliveyoung.co.kr/image/comm/logo.svg' alt='OLIVE YOUNG'></a>"


def _mobile_page() -> str:
    body = (
        "<div class='Banner_a1 popup' style='position:fixed;inset:0;z-index:999;background:#fff'>"
        "앱에서 보기<button>닫기</button></div>"
        f"<div style='display:none'><p>{GONE_TEXT}</p><button>다시 시도</button></div>"
        f"<header>{_logo()}</header>{menu('/m/display')}<main></main>{footer(_SITE)}{script(_FETCH)}"
    )
    return document(_SITE, og("title", _SITE), body, site=_SITE)


def _mobile_view(truth: ShopTruth) -> str:
    if truth.variant.status is None:
        return ""
    word = _BUTTONS.get(truth.variant.name)
    buttons = (
        [f"<button class='{hashed('Button', truth.draw)}'>{word}</button>"]
        if word
        else [
            f"<button class='{hashed('Button', truth.draw)}'>장바구니</button>",
            f"<button class='{hashed('Button', truth.draw)}'>바로구매</button>",
        ]
    )
    # The sheet of options is there before it is opened, but a visitor does not see its words.
    hidden = "장바구니" if word else "품절"
    return (
        f"<div class='swiper-slide swiper-slide-active'><img src='{truth.image}?l=ko&amp;QT=85&amp;SF=webp'></div>"
        f"<div class='swiper-slide'><img src='{truth.image.replace('01ko', '02ko')}?l=ko&amp;QT=85'></div>"
        f"{_tile(truth)}<div style='display:none'><button>{hidden}</button></div>"
        f"<button class='{hashed('Share', truth.draw)}'>공유</button>{''.join(buttons)}{reviews(truth.draw)}"
        + "".join(_tile(other) for other in others("oliveyoung", truth.product_id, 12))
    )


def _tile(truth: ShopTruth) -> str:
    """Brand, name and price of a product, in the same form in its own page and among other products."""
    draw = truth.draw
    return (
        f"<div class='{hashed('Goods', draw)}'><div class='{hashed('Brand', draw)}'>{escape(truth.brand)}</div>"
        f"<div class='{hashed('Name', draw)}'><h3 class='{hashed('Text', draw)}'>{escape(truth.name)}</h3></div>"
        f"<div class='{hashed('Price', draw)}'>{_price(truth)}</div></div>"
    )


def _price(truth: ShopTruth) -> str:
    if truth.variant.price == "list":
        return f"<b>{truth.price}원</b>" if truth.price < 10_000 else f"<b>{won(truth.price)}</b>"
    return f"<s>{won(truth.list_price)}</s><b>{truth.discount_percent}%</b><b>{won(truth.price)} ~</b>"


def _desktop_page(truth: ShopTruth) -> str:
    buys = {"desktop-sold-out": "<a class='btnSoldout'>품절</a>"}.get(
        truth.variant.name, "<a class='btnBasket' href='#'>장바구니</a><a class='btnBuy' href='#'>바로구매</a>"
    )
    body = (
        f"<header>{_logo()}<button>검색</button></header>{menu('/store/display')}<div id='Contents'>"
        f"<div class='prd_detail_box'><div class='prd_img'><img src='{truth.image}?l=ko&amp;QT=85'></div>"
        f"<div class='prd_info'><p class='prd_brand'>{escape(truth.brand)}</p>"
        f"<p class='prd_name'>{escape(truth.name)}</p><div class='price'>{_price(truth)}</div>"
        f"<div class='prd_btn_area'><button>찜하기</button>{buys}</div></div></div>"
        f"{reviews(truth.draw)}{cards(others('oliveyoung', truth.product_id, 12), _PATH)}</div>{footer(_SITE)}"
    )
    return document(f"{truth.name} | {_SITE}", og("title", truth.name), body, site=_SITE)


def _gone_page() -> str:
    body = (
        f"<header>{_logo()}</header><main><h1>판매가 끝난 상품입니다</h1><h2>이런 상품은 어때요?</h2>"
        f"{cards(others('oliveyoung', 'nogoods', 12), _PATH)}</main>{footer(_SITE)}"
    )
    return document(_SITE, og("title", _SITE), body, site=_SITE)
