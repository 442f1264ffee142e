"""zigzag: one GraphQL address for all products, with the id in the body; nulls with 200; a badge picks the price.

The state of the product and that of its items are separate. The page's own query does not ask for the product's state,
and the page asks about another product before its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
    literal,
    menu,
    next_data,
    not_found_page,
    og,
    others,
    reviews,
    script,
)
from pagemill.demo.shops.selection import QueryRefused, read_selection, select
from pagemill.demo.shops.truth import ShopTruth, shop_truth

_SITE = "지그재그"
_PATH = "/catalog/products/{id}"
_PAGE = re.compile(r"(?:/app)?/catalog/products/(\d+)")
_OPERATION = "/api/2/graphql/GetCatalogProductDetailPageOption"
_REVIEWS = "/api/2/graphql/GetPdpIntegratedData"
_STATES = {"sold-out": "SOLD_OUT", "suspended": "SUSPENDED", "unknown-status": "PENDING_REVIEW"}
_STATELESS = ("mixed-items", "items-sold-out", "no-items")
_ITEMS = {
    "sold-out": ("SOLD_OUT", "SOLD_OUT"),
    "items-sold-out": ("SOLD_OUT", "SOLD_OUT"),
    "mixed-items": ("SOLD_OUT", "ON_SALE"),
    "no-items": (),
}
_PAGE_QUERY = """\
query GetCatalogProductDetailPageOption($catalog_product_id: ID!, $input: PdpBaseInfoInput) {
  pdp_option_info(catalog_product_id: $catalog_product_id, input: $input) {
    catalog_product {
      id name shop_name
      product_price { max_price_info { price } final_discount_info { discount_price } }
      matched_item_list { sales_status display_status }
      product_image_list { image_type pdp_thumbnail_url }
    }
  }
}"""
_FETCH = """
(async () => {
  const ask = async (id) => {
    const variables = { catalog_product_id: id, input: { catalog_product_id: id, entry_source_type: "" } };
    const answer = await fetch(page.operation, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: page.query, variables }),
    });
    const { data } = await answer.json();
    return data?.pdp_option_info?.catalog_product;
  };
  const seen = await ask(page.other);
  document.querySelector("#recent").textContent = seen.name;
  const product = await ask(page.own);
  if (product) document.querySelector("#name").textContent = product.name;
})();
"""


def answer(request: ShopRequest) -> ShopAnswer:
    """The shop's answer to any request."""
    if request.path == _OPERATION:
        return _operation(request)
    if request.path == _REVIEWS:
        return data({"data": {"pdp_integrated_data": {"review_count": 128, "review_list": []}}})
    if found := _PAGE.fullmatch(request.path):
        truth = shop_truth("zigzag", found[1])
        if truth.variant.name == "gone-404":
            return page_answer(PAGE, not_found_page(_SITE), 404)
        return page_answer(PAGE, _product_page(truth))
    if request.path in ("/", "/auth/login"):
        return page_answer(OTHER, front_page("zigzag", _SITE, _PATH, HOME if request.path == "/" else LOGIN))
    return page_answer(OTHER, not_found_page(_SITE), 404)


def _operation(request: ShopRequest) -> ShopAnswer:
    if request.method != "POST":
        return _refuse("GET query missing.", 400)
    try:
        body = json.loads(request.body)
        variables = body["variables"]
        product_id, again = variables["catalog_product_id"], variables["input"]["catalog_product_id"]
        selection = read_selection(body["query"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return _refuse("POST body missing, invalid Content-Type, or JSON object has no keys.", 400)
    except QueryRefused as error:
        return _refuse(str(error), 400)
    if not isinstance(product_id, str) or not product_id.isdecimal() or again != product_id:
        return _refuse('Variable "$catalog_product_id" got an invalid value.', 400)
    truth = shop_truth("zigzag", product_id)
    match truth.variant.name:
        case "gone-404":
            return data({"message": "Not Found"}, 404)
        case "graphql-error":
            trouble = {"message": "upstream request timeout", "path": ["pdp_option_info"]}
            return data({"errors": [trouble], "data": {"pdp_option_info": None}})
        case "gone-null":
            return data({"data": {"pdp_option_info": None}})
        case "gone-null-product":
            return data({"data": {"pdp_option_info": {"catalog_product": None}}})
    try:
        return data({"data": select({"pdp_option_info": {"catalog_product": _product(truth)}}, selection)})
    except QueryRefused as error:
        return _refuse(str(error), 400)


def _refuse(message: str, status: int) -> ShopAnswer:
    return data({"errors": [{"message": message}]}, status)


def _product(truth: ShopTruth) -> dict[str, Any]:
    name = truth.variant.name
    items = _ITEMS.get(name, ("ON_SALE", "ON_SALE"))
    state = None if name in _STATELESS else _STATES.get(name, "ON_SALE")
    display = "HIDDEN" if name in ("suspended", "unknown-status") else "VISIBLE"
    return {
        "id": truth.product_id,
        "name": truth.name,
        "shop_name": truth.brand,
        "sales_status": state,
        "display_status": display,
        "is_purchasable": truth.variant.status == "on_sale",
        "product_price": _prices(truth),
        "matched_item_list": [{"sales_status": item, "display_status": "VISIBLE"} for item in items],
        "product_image_list": [
            {"image_type": "SUB", "pdp_thumbnail_url": truth.image.replace("/main.", "/sub.")},
            {"image_type": "MAIN", "pdp_thumbnail_url": truth.image},
            {"image_type": "MAIN", "pdp_thumbnail_url": truth.image.replace("/main.", "/second.")},
        ],
    }


def _prices(truth: ShopTruth) -> dict[str, Any]:
    name = truth.variant.name
    discount: Mapping[str, int] | None = {"discount_price": truth.price}
    final: dict[str, Any] = {"price": truth.price, "badge": None}
    additional: dict[str, Any] | None = None
    match name:
        case "no-discount":
            discount = None
        case "zero-discount":
            discount = {"discount_price": 0}
        case "shop-coupon":
            final["badge"] = {"text": "쿠폰할인가"}
        case "shop-badge":
            final["price"] = truth.base_price
            additional = {"price": truth.price, "badge": {"text": "직잭픽"}}
        case "first-purchase":
            discount = {"discount_price": truth.lower_price}
            badge = {"text": "첫 구매 쿠폰" if truth.draw % 2 else "첫구매쿠폰"}
            additional = {"price": truth.lower_price, "badge": badge}
    return {
        "max_price_info": {"price": truth.list_price},
        "final_discount_info": discount,
        "display_final_price": {"final_price": final, "final_price_additional": additional},
    }


def _product_page(truth: ShopTruth) -> str:
    there = truth.variant.status is not None
    other, *_ = others("zigzag", truth.product_id, 1)
    shelf = [
        {"id": one.product_id, "name": one.name, "price": one.price}
        for one in others("zigzag", f"{truth.product_id} state", 20)
    ]
    state: dict[str, Any] = {"shelf": shelf}
    if there:
        state |= {"shop": {"name": truth.brand}, "product": _product(truth)}
    ids = {"own": truth.product_id, "other": other.product_id, "operation": _OPERATION, "query": _PAGE_QUERY}
    body = (
        f"<div id='__next'><header><a href='/'>{_SITE}</a></header>{menu('/categories')}<main>"
        f"<h1 id='name'>{escape(truth.name) if there else ''}</h1>"
        "<section><h4>최근 본 상품</h4><p id='recent'></p></section>"
        f"{reviews(truth.draw)}{cards(others('zigzag', truth.product_id, 18), _PATH)}</main>{footer(_SITE)}</div>"
        f"{next_data(state, '/catalog/products/[catalog_product_id]')}"
        + script(f"const page = {literal(ids)};{_FETCH}")
    )
    head = og("title", truth.name if there else _SITE)
    return document(f"{truth.name} | {_SITE}" if there else _SITE, head, body, site=_SITE)
