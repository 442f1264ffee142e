"""The words that shops use: keys of JSON, labels beside prices, texts of buttons, and pages without a product.

They are hints and no proof: what a word suggests counts only if the pages agree.
"""

from __future__ import annotations

import re

_PARTS_OF_KEYS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_NAME = frozenset({"name", "title", "nm", "label", "subject", "headline", "heading", "prdnm", "goodsnm", "displayname"})
_NOT_A_NAME = frozenset(
    {
        "brand", "shop", "seller", "market", "category", "cate", "option", "user", "image", "img", "site", "store",
        "maker", "vendor", "menu", "badge", "event", "coupon", "review", "page", "file", "eng", "en", "author", "tag",
        "dept", "department", "section", "variant", "attribute", "color", "size", "promotion", "banner", "button",
    }
)  # fmt: skip
_PRICE = frozenset(
    {
        "price", "prices", "amount", "cost", "sale", "selling", "sell", "discount", "discounted", "final", "consumer",
        "retail", "list", "original", "regular", "msrp", "normal", "base", "current", "prc", "incl", "gross", "special",
        "basic", "market", "strike", "before", "compare", "max", "min", "usd", "eur", "krw", "won", "value",
    }
)  # fmt: skip
_PRICE_ITSELF = frozenset({"price", "prices", "amount", "cost", "prc", "msrp"})
_NOT_A_PRICE = frozenset(
    {
        "rate", "percent", "percentage", "pct", "ratio", "point", "points", "reward", "mileage", "ship", "shipping",
        "delivery", "unit", "monthly", "month", "installment", "count", "cnt", "qty", "quantity", "id", "no", "num",
        "tax", "vat", "fee", "first", "member", "coupon", "saving", "savings", "stock", "rank", "score", "order",
        "status", "type", "code", "yn", "at", "date", "time", "start", "end", "excl", "limit", "step", "width",
        "height", "review", "free", "threshold",
    }
)  # fmt: skip
_LIST = frozenset(
    {
        "list", "original", "normal", "consumer", "retail", "regular", "msrp", "max", "before", "strike", "compare",
        "market", "old", "was", "full", "rrp", "org", "origin",
    }
)  # fmt: skip
_SALE = frozenset(
    {"sale", "final", "discounted", "discount", "selling", "sell", "current", "special", "actual", "pay", "payment",
     "thumbnail", "now", "incl"}
)  # fmt: skip
_STATE = frozenset(
    {
        "status", "state", "stock", "stocks", "sold", "soldout", "sale", "sales", "avail", "available", "availability",
        "purchasable", "purchase", "buyable", "orderable", "inventory", "qty", "quantity", "saleable", "salable",
        "sellable", "selling", "out", "display", "discontinued", "active", "enabled", "type", "stck",
    }
)  # fmt: skip
_NOT_A_STATE = frozenset({"delivery", "shipping", "review", "user", "member", "login", "page", "count", "at", "date"})
_IMAGE = frozenset({"image", "images", "img", "imgs", "thumbnail", "thumb", "picture", "photo", "photos", "src"})
_LABEL = frozenset({"badge", "label", "tag", "text", "title", "description", "desc", "type", "kind", "condition"})

OTHER_PRICE = re.compile(
    r"coupon|쿠폰|첫\s*구매|최대\s*혜택|혜택가|적립|포인트|배송|shipping|delivery|point|reward|member|회원|per month"
    r"|월\s|할부|unit price"
    r"|优惠券|クーポン|送料|gutschein|versand|livraison|cupón|env[ií]o",
    re.IGNORECASE,
)
"""A label beside an amount that is not the price for everybody."""
PRICE_FOR_SOME = (
    r"첫\s*구매|신규\s*(?:회원|고객|가입)|회원\s*(?:전용|가(?!입))|first (?:purchase|order)|new (?:customers?|members?)"
    r"|members? (?:only|price)|neukunden|erstbestell|premi[eè]re commande|nouveaux? clients?|primera compra"
    r"|nuevos clientes|primo ordine|nuovi clienti|eerste bestelling|nieuwe klanten|初回|新規会員|首单|新人"
)
"""A label beside an amount that only newcomers or members pay; a part of a regular expression without groups."""
_OUT_FLAGS = (
    frozenset({"soldout"}),
    frozenset({"sold", "out"}),
    frozenset({"out", "stock"}),
    frozenset({"unavailable"}),
)
_STOPPED_FLAGS = tuple(
    frozenset(parts.split())
    for parts in (
        "member only", "members only", "membership only", "only for member", "only for members", "buy member",
        "buy members", "purchase member", "member exclusive", "members exclusive", "hidden", "deleted", "discontinued",
        "suspended", "withdrawn", "archived", "delisted", "unpublished", "not for sale", "sale stopped", "sale stop",
        "sales stopped", "sale ended", "sale end", "sales ended", "sale closed", "display stopped",
    )
)  # fmt: skip
CONTROL_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "korean": {
        "sold_out": ("품절", "재입고", "입고되면", "입고 알림", "매진", "완판"),
        "off_sale": ("판매중지", "판매 중지", "판매종료", "판매 종료", "단종", "전시기간"),
        "on_sale": ("구매하기", "바로구매", "바로 구매", "장바구니"),
    },
    "english": {
        "sold_out": ("Sold out", "Out of stock", "Notify me", "Unavailable"),
        "off_sale": ("Discontinued", "No longer available", "No longer sold"),
        "on_sale": ("Add to cart", "Add to basket", "Add to bag", "Buy now", "Buy it now"),
    },
    "german": {
        "sold_out": ("Ausverkauft", "Nicht verfügbar", "Nicht vorrätig"),
        "off_sale": ("Nicht mehr erhältlich", "Nicht mehr lieferbar"),
        "on_sale": ("In den Warenkorb", "In den Einkaufswagen", "Jetzt kaufen"),
    },
    "french": {
        "sold_out": ("Épuisé", "Rupture de stock", "Indisponible"),
        "off_sale": ("Plus disponible", "Plus commercialisé"),
        "on_sale": ("Ajouter au panier", "Acheter"),
    },
    "spanish": {
        "sold_out": ("Agotado", "Sin existencias", "No disponible"),
        "off_sale": ("Descatalogado",),
        "on_sale": ("Añadir al carrito", "Añadir a la cesta", "Comprar"),
    },
    "italian": {
        "sold_out": ("Esaurito", "Non disponibile"),
        "off_sale": ("Fuori produzione",),
        "on_sale": ("Aggiungi al carrello", "Acquista"),
    },
    "dutch": {
        "sold_out": ("Uitverkocht", "Niet op voorraad"),
        "off_sale": ("Niet meer leverbaar",),
        "on_sale": ("In winkelwagen", "Bestellen"),
    },
    "japanese": {
        "sold_out": ("在庫切れ", "売り切れ", "品切れ"),
        "off_sale": ("販売終了",),
        "on_sale": ("カートに入れる", "購入する"),
    },
    "chinese": {
        "sold_out": ("缺货", "售罄", "无货"),
        "off_sale": ("停售", "已下架"),
        "on_sale": ("加入购物车", "立即购买"),
    },
}
"""Texts of the button of a product that can or cannot be bought, by language and meaning. Those for "cannot" come
first, because they may contain words of the others.
"""
NOTHING_HERE = re.compile(
    r"not\s+(?:be\s+)?found|no longer|does ?n[o']t exist|doesn.t exist|removed|deleted|unavailable|cannot be|could not"
    r"|404|gone"
    r"|찾을 수 없|존재하지 않|삭제된|판매.{0,4}(?:종료|끝난|중지|중인 상품이 아닙)|없는 (?:상품|페이지)"
    r"|nicht gefunden|nicht mehr|introuvable|n'existe|no existe|no encontrad|non trovat|non esiste|niet gevonden"
    r"|não encontrad|見つかりません|存在しません|不存在|已下架",
    re.IGNORECASE,
)
"""A sentence on a page without a product."""
WORDS_OF_STATE = {
    "on_sale": re.compile(
        r"on_?sale|selling|in_?stock|available|sale|normal|selng|instock|true|yes|y|active|enabled|in", re.IGNORECASE
    ),
    "sold_out": re.compile(
        r"sold_?out|out_?of_?stock|sldot|soldout|oos|unavailable|no_?stock|outofstock|out|temporar\w*|not_available",
        re.IGNORECASE,
    ),
    "off_sale": re.compile(
        r"stop\w*|\w*_stop\w*|suspend\w*|discontinued?|stsel|closed?|hidden|end(?:ed)?|deleted|archived|off_?sale",
        re.IGNORECASE,
    ),
}
"""Words of enumerations and their meanings; the whole word must fit."""


def words_of_key(key: str) -> tuple[str, ...]:
    """The words in a key: "goodsPrice", "goods_price" and "GOODS-PRICE" have the same."""
    return tuple(part.lower() for part in _PARTS_OF_KEYS.findall(key))


def names_a_product(key: str) -> bool:
    """Whether the key may hold a product's name."""
    parts = words_of_key(key)
    return bool(parts) and parts[-1] in _NAME and not _NOT_A_NAME & set(parts)


def price_kind(path: tuple[str | int, ...]) -> str:
    """The kind of an amount, from the keys of its path: `list`, `sale`, `price`; empty if it is no price."""
    words = [part for key in path if isinstance(key, str) for part in words_of_key(key)]
    last = [part for key in path[-2:] if isinstance(key, str) for part in words_of_key(key)]
    if not words or _NOT_A_PRICE & set(last) or not _PRICE & set(last):
        return ""
    if not _PRICE_ITSELF & set(words) and not {"sale", "selling", "discounted", "consumer", "retail"} & set(last):
        return ""
    if _LIST & set(last):
        return "list"
    return "sale" if _SALE & set(last) else "price"


def names_a_state(key: str) -> bool:
    """Whether the key may hold how a product is sold."""
    parts = set(words_of_key(key))
    return bool(parts & _STATE) and not parts & _NOT_A_STATE


def flag_means(key: str) -> str:
    """What it means if a flag of that name is on: the product is `sold_out` or `off_sale`; else empty."""
    parts = set(words_of_key(key))
    if any(flag <= parts for flag in _STOPPED_FLAGS):
        return "off_sale"
    return "sold_out" if any(flag <= parts for flag in _OUT_FLAGS) else ""


def is_a_label(key: str) -> bool:
    """Whether the key may hold a label that says what an amount beside it is."""
    return bool(_LABEL & set(words_of_key(key)))


def names_an_image(key: str) -> bool:
    """Whether the key may hold a picture's address."""
    return bool(_IMAGE & set(words_of_key(key)))
