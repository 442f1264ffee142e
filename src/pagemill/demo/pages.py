"""The documents of the three platforms, as bytes.

Owns their markup. Parts that are the same for every product are joined once; each request makes only the product's
part. Answers that are no product pages (gone, blocked) are here too. `storefront_app` decides status codes.

The product stands in the second half of a document, after the shop's menu, as it does in real shops.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

from pagemill.demo.assets import EXTRA_SCRIPTS, Assets
from pagemill.demo.scripts import SHOP_SCRIPT
from pagemill.demo.truth import Truth

GONE_TEXT = "This product is no longer available"
BLOCKED_TEXT = "Access denied"
FACTS_START = b"<main>"
"""No fact of a product page is before this."""
WEIGHTS = ("light", "normal", "heavy")
"""How much a page holds besides the product: nothing, as much as an ordinary shop, or several times that."""


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What a product page shows besides the product. `opening` is markup before everything else."""

    weight: str = "normal"
    leak_kb: int = 0
    opening: str = ""
    facts: bool = True
    """If false, only the shop around the product is shown, and neither facts nor the ready sign ever appear."""


@dataclass(frozen=True, slots=True)
class _Shell:
    head: bytes
    menu: bytes
    photos: int
    reviews: bytes
    scripts: bytes
    hydrates: bool


class Pages:
    """Renders documents."""

    def __init__(self, assets: Assets) -> None:
        styled = b'<link rel="stylesheet" href="/static/shop.css">'
        script = b'<script src="/static/shop.js"></script>'
        extra = b"".join(b'<script src="/static/extra-%d.js"></script>' % n for n in range(1, EXTRA_SCRIPTS + 1))
        inline = b"<script>" + SHOP_SCRIPT.encode() + b"</script>"
        self._shells = {
            "light": _Shell(b"", b"", 1, b"", inline, hydrates=False),
            "normal": _Shell(styled, assets.menu, 10, assets.reviews, script, hydrates=True),
            "heavy": _Shell(styled, assets.menu * 4, 40, assets.reviews * 4, script + extra, hydrates=True),
        }

    def product(self, platform: str, truth: Truth, options: PageOptions) -> bytes:
        """The page of a product on `hydrated`, `jsonld` or `api`."""
        shell = self._shells[options.weight]
        served = platform == "jsonld" or (platform == "hydrated" and not shell.hydrates)
        kind = "served" if served else platform
        parts = [
            b'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>Practice shop</title>',
            shell.head,
            b"</head><body>",
            options.opening.encode(),
            b"<header><a href='/'>Practice shop</a>",
            shell.menu,
            b"</header>" + FACTS_START,
        ]
        if options.facts:
            if platform == "jsonld":
                parts.append(_jsonld(truth).encode())
            parts.append(_product(truth, kind, shell.photos).encode())
        else:
            parts.append(b"<p>Loading</p>")
        parts += [b"</main><footer>", shell.reviews, b"</footer>", shell.scripts]
        if options.facts:
            start = f"<script>shop.start({_js(kind)},{_js(truth.product_id)},{options.leak_kb})</script>"
            parts.append(start.encode())
        parts.append(b"</body></html>")
        return b"".join(parts)


def gone_page() -> bytes:
    """The shop says that the product is gone, with status 200 and with the ready sign."""
    return _notice(GONE_TEXT, "<body data-ready>")


def denied_page() -> bytes:
    """The answer of a firewall in front of the shop, with status 200. It does not know the shop's ready sign."""
    return _notice(BLOCKED_TEXT, "<body>")


def plain_page(text: str) -> bytes:
    """A small page with only that text."""
    return _notice(text, "<body>")


def _notice(text: str, body_tag: str) -> bytes:
    head = f'<head><meta charset="utf-8"><title>{text}</title></head>'
    return f'<!doctype html><html lang="en">{head}{body_tag}<p>{text}</p></body></html>'.encode()


def _product(truth: Truth, kind: str, photos: int) -> str:
    name, price, stock, image = "", "", "", f' src="{truth.image}"'
    if kind != "api":
        name = escape(truth.name)
    if kind == "served":
        price, stock = f"{truth.price:,}원", "in" if truth.in_stock else "out"
    if kind == "api":
        image = ""
    gallery = "".join(f'<img src="{truth.image[:-5]}{n}.png" alt="">' for n in range(1, photos))
    return (
        f'<h1 class="name">{name}</h1><p class="price">{price}</p><p class="stock">{stock}</p>'
        f'<img class="photo"{image} alt=""><div class="gallery">{gallery}</div>'
    )


def _jsonld(truth: Truth) -> str:
    """Three forms that shops use: the product alone, in a `@graph` next to its breadcrumbs, or in a second script."""
    product: dict[str, object] = {
        "@type": "Product",
        "name": truth.name,
        "image": truth.image,
        "sku": truth.product_id,
        "offers": {
            "@type": "Offer",
            "price": truth.price if truth.draw % 2 else str(truth.price),
            "priceCurrency": "KRW",
            "availability": f"https://schema.org/{'InStock' if truth.in_stock else 'OutOfStock'}",
        },
    }
    crumb = {"@type": "ListItem", "position": 1, "name": "Shop", "item": "/"}
    crumbs: dict[str, object] = {"@type": "BreadcrumbList", "itemListElement": [crumb]}
    context = {"@context": "https://schema.org"}
    match truth.draw // 2 % 3:
        case 0:
            documents = [{**context, **product}]
        case 1:
            documents = [{**context, "@graph": [crumbs, product]}]
        case _:
            documents = [{**context, **crumbs}, {**context, **product}]
    return "".join(f'<script type="application/ld+json">{_js(document)}</script>' for document in documents)


def _js(value: object) -> str:
    """A JSON literal that cannot end its script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
