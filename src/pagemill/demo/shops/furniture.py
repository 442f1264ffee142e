"""The parts of a shop's page around the product, which can mislead a reader: menus, other products with their prices,
reviews that say 품절.

Owns markup that the shops share; none of it is about the page's product. `hashed` makes class names, which are
different in each build of a shop.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from html import escape

from pagemill.demo.shops.truth import ShopTruth, pinned_id, shop_truth

_DEPARTMENTS = (
    "상의",
    "하의",
    "아우터",
    "신발",
    "가방",
    "스킨케어",
    "메이크업",
    "간편식",
    "정육·계란",
    "생활용품",
    "디지털",
    "키즈",
)
_SHELVES = ("전체", "신상품", "베스트", "세일", "단독", "브랜드", "기획전", "후기 많은 순")
_REVIEWS = (
    "전에 품절이라 기다렸어요. 배송은 이틀 걸렸습니다.",
    "재입고 알림 받고 바로 샀어요. 색이 화면보다 조금 어두워요.",
    "또 품절되기 전에 하나 더 주문합니다. 12,000원일 때 살걸 그랬네요.",
    "사진과 같아요. 포장이 꼼꼼해서 선물하기 좋았습니다.",
    "사이즈는 정사이즈, 두께는 봄가을에 적당합니다. 30% 쿠폰으로 샀어요.",
)
_STYLE = "".join(f".b{n}{{margin:{n % 9}px {n % 13}px;color:#{n * 7919 % 0xFFFFFF:06x}}}" for n in range(90))


def document(title: str, head: str, body: str, *, site: str) -> str:
    """A whole page. `head` and `body` are markup, `title` and `site` (which stands in `og:site_name`) are text."""
    return (
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">'
        f'<meta property="og:site_name" content="{escape(site)}">{head}<style>{_STYLE}</style>'
        '<link rel="stylesheet" href="/static/shop.css"></head>'
        f'<body>{body}<script src="/static/extra-1.js" defer></script></body></html>'
    )


def og(name: str, content: str) -> str:
    """An Open Graph meta element."""
    return f'<meta property="og:{name}" content="{escape(content)}">'


def script(code: str) -> str:
    """A script of the page."""
    return f"<script>{code}</script>"


def literal(value: object) -> str:
    """A JSON literal that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def next_data(page_props: object, route: str) -> str:
    """The state of a Next.js page, as its script element."""
    state = {"props": {"pageProps": page_props, "__N_SSP": True}, "page": route, "query": {}, "buildId": "k7Qx2"}
    return f'<script id="__NEXT_DATA__" type="application/json">{literal(state)}</script>'


def won(price: int) -> str:
    """A price as people write it: `12,900원`."""
    return f"{price:,}원"


def hashed(name: str, draw: int) -> str:
    """A class name as a build makes it; there are five builds."""
    return f"{name}_{hashlib.blake2b(f'{name} {draw % 5}'.encode(), digest_size=3).hexdigest()}"


def menu(path: str) -> str:
    """Departments and shelves, with links below that path: about 9 KB."""
    shelves = [
        f'<li class="b{(d * 8 + s) % 90}"><a href="{path}/{d:03d}{s:03d}">{department} {shelf}</a></li>'
        for d, department in enumerate(_DEPARTMENTS)
        for s, shelf in enumerate(_SHELVES)
    ]
    return f"<nav><ul>{''.join(shelves)}</ul></nav>"


def others(shop: str, product_id: str, count: int) -> list[ShopTruth]:
    """Other products of the shop, the same at every visit of that product. All of them are on sale."""
    start = int(hashlib.blake2b(f"{shop} {product_id}".encode(), digest_size=3).hexdigest(), 16) % 900
    found: list[ShopTruth] = []
    while len(found) < count:
        other = pinned_id(shop, start, "on-sale")
        start += 1
        if other != product_id:
            found.append(shop_truth(shop, other))
    return found


def cards(products: Sequence[ShopTruth], path: str) -> str:
    """Other products as tiles, with their prices; `path` has `{id}`."""
    tiles = [
        f'<li class="b{n % 90}"><a href="{path.format(id=product.product_id)}">'
        f'<img loading="lazy" src="{escape(product.image)}" alt="">'
        f'<span class="b{n % 7}">{escape(product.brand)}</span>'
        f"<strong>{escape(product.name)}</strong><em>{product.discount_percent}%</em><b>{won(product.price)}</b></a></li>"
        for n, product in enumerate(products)
    ]
    return f"<ul>{''.join(tiles)}</ul>"


def reviews(draw: int) -> str:
    """Reviews of customers, which include the words of a sold-out page: about 4 KB."""
    lines = [
        f"<li class='b{n}'><i>구매자 {(draw + n * 37) % 9973}</i> <span>별점 {n % 2 + 4}</span>"
        f"<p>{_REVIEWS[n % len(_REVIEWS)]}</p></li>"
        for n in range(20)
    ]
    return f"<section><h4>후기</h4><ol>{''.join(lines)}</ol></section>"


def footer(company: str) -> str:
    """The end of every page."""
    return (
        f"<footer><p>{company} 고객센터 09:00-18:00</p><p>이용약관 개인정보처리방침 입점문의</p>"
        "<p>일부 상품의 경우 판매자가 등록한 정보이며 책임은 판매자에게 있습니다.</p></footer>"
    )


def front_page(shop: str, site: str, path: str, heading: str) -> str:
    """A page about no single product that shows many: the home page, the day's picks, the login page."""
    body = f"<header><a href='/'>{site}</a></header>{menu('/category')}<main><h2>{heading}</h2>"
    if heading == LOGIN:
        body += "<form><input name='id'><input name='password' type='password'><button>로그인</button></form>"
    body += cards(others(shop, heading, 24), path) + f"</main>{footer(site)}"
    return document(
        f"{site} - {heading}", og("title", site) + og("image", "https://cdn.example/site.png"), body, site=site
    )


def not_found_page(site: str, text: str = "페이지를 찾을 수 없습니다") -> str:
    """The page that a shop shows at an address that leads nowhere."""
    body = f"<header><a href='/'>{site}</a></header><main><p>{text}</p><a href='/'>홈으로</a></main>{footer(site)}"
    return document(text, og("title", site), body, site=site)


HOME, TODAY, LOGIN = "오늘의 추천", "투데이", "로그인"
