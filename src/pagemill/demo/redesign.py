"""What a redesign of a shop changes, and the practice shop's redesign.

Owns how words of the other design replace those of the first one; `front` decides which design is shown. Facts never
change: names, prices and pictures stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Swap = tuple[str, str | Callable[[re.Match[str]], str]]
"""A regular expression, and the replacement of its matches for `re.sub`."""


LEADS_NOWHERE = "/before-the-redesign"


@dataclass(frozen=True, slots=True)
class Redesign:
    """One shop's other design.

    `paths` maps beginnings of paths, of the API and of pages that a product leads to. `names` maps whole words, such as
    keys of an answer, wherever they are; no two become the same. After both, `markup` changes documents and scripts,
    and `data_words` JSON answers, each in order. Every JSON answer is wrapped in one more key.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    markup: tuple[Swap, ...] = ()
    data_words: tuple[Swap, ...] = ()

    def path(self, text: str) -> str:
        """A path, or any text with paths in it, after the redesign."""
        return _swapped(text, self.paths, whole_words=False)

    def path_before(self, path: str) -> str:
        """A requested path as it was before the redesign. A path that no longer exists leads nowhere."""
        if any(path.startswith(old) for old in self.paths):
            return LEADS_NOWHERE
        return _swapped(path, {new: old for old, new in self.paths.items()}, whole_words=False)

    def names_before(self, text: str) -> str:
        """What a visitor sends, in the words before the redesign."""
        return _swapped(text, {new: old for old, new in self.names.items()}, whole_words=True)

    def document(self, text: str) -> str:
        """A document or script after the redesign."""
        return _each_swap(self._renamed(text), self.markup)

    def data(self, text: str) -> str:
        """A JSON answer after the redesign."""
        return f'{{"response": {_each_swap(self._renamed(text), self.data_words)}}}'

    def _renamed(self, text: str) -> str:
        return _swapped(self.path(text), self.names, whole_words=True)


def _swapped(text: str, words: Mapping[str, str], *, whole_words: bool) -> str:
    if not words:
        return text
    longest_first = sorted(words, key=len, reverse=True)
    border = r"\b" if whole_words else ""
    pattern = re.compile(f"{border}(?:{'|'.join(map(re.escape, longest_first))}){border}")
    return pattern.sub(lambda found: words[found[0]], text)


def _each_swap(text: str, swaps: tuple[Swap, ...]) -> str:
    for pattern, replacement in swaps:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    return text


_PRODUCT = (
    r'<h1 class="name">(?P<name>[^<]*)</h1><p class="price">(?P<price>[^<]*)</p><p class="stock">(?P<stock>[^<]*)</p>'
    r'<img class="photo"(?P<source>[^>]*?) alt=""><div class="gallery">'
)
_STOCK = {"": "", "in": "Ready to ship", "out": "Sold out"}
_SCHEMA = 'itemscope itemtype="https://schema.org/'


def _product(found: re.Match[str]) -> str:
    price = f"₩{found['price'].removesuffix('원')}" if found["price"] else ""
    return (
        f'<section class="headline"><div class="picture"><img class="cover"{found["source"]} alt=""></div>'
        f'<h2 class="title">{found["name"]}</h2></section><div class="buybox"><div class="cost">'
        f'<strong class="amount">{price}</strong></div><span class="supply">{_STOCK[found["stock"]]}</span></div>'
        '<div class="album">'
    )


def _marked_product(found: re.Match[str]) -> str:
    """A product in JSON-LD, rewritten as microdata."""
    digits = re.sub(r"\D", "", found["price"])
    stock = {"in": "InStock", "out": "OutOfStock"}[found["stock"]]
    return (
        f'<section class="headline" {_SCHEMA}Product"><div class="picture">'
        f'<img class="cover" itemprop="image"{found["source"]} alt=""></div>'
        f'<h2 class="title" itemprop="name">{found["name"]}</h2>'
        f'<div class="buybox" itemprop="offers" {_SCHEMA}Offer"><meta itemprop="priceCurrency" content="KRW">'
        f'<div class="cost"><strong class="amount" itemprop="price" content="{digits}">₩{int(digits):,}</strong></div>'
        f'<link itemprop="availability" href="https://schema.org/{stock}">'
        f'<span class="supply">{_STOCK[found["stock"]]}</span></div></section><div class="album">'
    )


PRACTICE_REDESIGN = Redesign(
    paths={"/hydrated/api/": "/shelf/v2/", "/api/v1/": "/store/v2/"},
    markup=(
        (rf'(?:<script type="application/ld\+json">(?:(?!</script>).)*</script>)+{_PRODUCT}', _marked_product),
        (_PRODUCT, _product),
        ("This product is no longer available", "We have stopped selling this"),
        ("data-ready", "data-loaded"),
        (r"body\.dataset\.ready", "body.dataset.loaded"),
        ('"h1.name"', '"h2.title"'),
        (r'"\.price"', '".amount"'),
        (r'"\.stock"', '".supply"'),
        (r'"img\.photo"', '"img.cover"'),
        (r"h1\.name, \.price, \.stock, img\.photo", "h2.title, .amount, .supply, img.cover"),
        (r'price\.toLocaleString\("en-US"\) \+ "원"', '"₩" + price.toLocaleString("en-US")'),
        (r"return answer\.json\(\)", "return (await answer.json()).response"),
        (r"won\(product\.price\)", "won(product.offer)"),
        (r"product\.stock", "product.supply"),
        (r"data\.name", "data.title"),
        (r"won\(data\.price\)", "won(data.amount)"),
        (r'data\.in_stock \? "in" : "out"', 'data.supply === "READY" ? "Ready to ship" : "Sold out"'),
        (r"data\.image", "data.cover"),
    ),
    data_words=(
        (r'^\{"price": (\d+), "stock": "in"\}', r'{"offer": \1, "supply": "Ready to ship"}'),
        (r'^\{"price": (\d+), "stock": "out"\}', r'{"offer": \1, "supply": "Sold out"}'),
        ('"name":', '"title":'),
        ('"price":', '"amount":'),
        ('"in_stock": true', '"supply": "READY"'),
        ('"in_stock": false', '"supply": "NONE"'),
        ('"image":', '"cover":'),
    ),
)
