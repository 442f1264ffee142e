"""Open Graph and `product:` metas: what a page says of itself as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from pagemill.extraction.availability import read_availability
from pagemill.extraction.published.schema_facts import ProductFacts
from pagemill.extraction.published.schema_price import read_currency, read_price
from pagemill.extraction.published.schema_text import read_image, read_text


class PageMetas:
    """The metas of a page. If several have one name, the first that is not blank counts."""

    def __init__(self, metas: Iterable[tuple[str, str]]) -> None:
        self._said: dict[str, str] = {}
        for name, text in metas:
            if text.strip():
                self._said.setdefault(name, text)

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles that the page gives itself."""
        return tuple(self._said[name] for name in ("og:title", "title") if name in self._said)

    @property
    def title(self) -> str | None:
        """The title for use outside of the page (`og:title`)."""
        return read_text(self._said.get("og:title"))

    @property
    def address(self) -> str:
        """The address that the page gives itself (`og:url`); empty without one."""
        return self._said.get("og:url", "")

    def facts(self, base: str) -> ProductFacts:
        """The facts of the product that the page is about.

        If there is a sale price, the ordinary price is the list price. The title counts as a name only if the page is
        about a product.
        """
        ordinary = self._price("product:price:amount", "og:price:amount")
        sale = self._price("product:sale_price:amount", "og:sale_price:amount")
        price = ordinary if sale is None else sale
        before = self._price("product:original_price:amount", "og:price:standard_amount", "og:original_price:amount")
        if before is None and sale is not None:
            before = ordinary
        if before is not None and (price is None or before < price):
            before = None
        is_product = price is not None or "product" in self._said.get("og:type", "").casefold()
        return ProductFacts(
            name=self.title if is_product else None,
            brand=read_text(self._first("product:brand", "og:brand")),
            sku=read_text(self._first("product:retailer_item_id", "product:sku")),
            image=read_image(self._first("og:image", "og:image:secure_url", "og:image:url"), base)
            if is_product
            else None,
            price=price,
            list_price=before,
            currency=self._currency(),
            in_stock=read_availability(self._first("product:availability", "og:availability") or ""),
        )

    def _first(self, *names: str) -> str | None:
        return next((self._said[name] for name in names if name in self._said), None)

    def _price(self, *names: str) -> float | None:
        return read_price(self._first(*names))

    def _currency(self) -> str | None:
        kinds = ("product:price", "product:sale_price", "og:price")
        said = self._first(*(f"{kind}:currency" for kind in kinds))
        return None if said is None else read_currency(said)
