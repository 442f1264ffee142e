"""Asks the six shops without a server, and reads their answers by the notes on the real shops.

The readers say what a careful reader gets from each form, independently of pagemill's own extraction and of the shipped
platform files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from starlette.types import ASGIApp

from pagemill.demo.shops.addresses import ADDRESSES
from pagemill.model import Facts
from tests.unit.demo.asgi_client import Answer, ask

PORT = 8900
CHROME = {
    "User-Agent": "Mozilla/5.0 (Macintosh) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "sec-ch-ua": '"Chromium";v="131"',
    "Referer": f"http://{ADDRESSES['hwahae']}:{PORT}/",
}
QUERY = """
query Any($catalog_product_id: ID!, $input: PdpBaseInfoInput) {
  pdp_option_info(catalog_product_id: $catalog_product_id, input: $input) {
    catalog_product {
      id, name, sales_status, is_purchasable
      product_price {
        max_price_info { price } final_discount_info { discount_price }
        display_final_price {
          final_price { price badge { text } } final_price_additional { price badge { text } }
        }
      }
      matched_item_list { sales_status display_status }
      product_image_list { image_type pdp_thumbnail_url }
    }
  }
}"""
_STATE = re.compile(r'<script id="__NEXT_DATA__" type="application/json">(.*?)</script>')


async def visit(app: ASGIApp, shop: str, path: str, **options: Any) -> Answer:
    """One request to that shop."""
    return await ask(app, path, host=f"{ADDRESSES[shop]}:{PORT}", **options)


async def ask_zigzag(app: ASGIApp, product_id: str, query: str = QUERY) -> Answer:
    """zigzag's one operation for that product."""
    variables = {"catalog_product_id": product_id, "input": {"catalog_product_id": product_id, "entry_source_type": ""}}
    body = json.dumps({"query": query, "variables": variables}).encode()
    path = "/api/2/graphql/GetCatalogProductDetailPageOption"
    return await visit(app, "zigzag", path, method="POST", body=body, headers={"Content-Type": "application/json"})


def state_of(answer: Answer) -> Any:
    """The `pageProps` of a Next.js page, `None` without any."""
    found = _STATE.search(answer.text)
    return json.loads(found[1])["props"]["pageProps"] if found else None


def og_of(answer: Answer, name: str) -> str:
    """An Open Graph meta's content, empty without one."""
    found = re.search(rf'<meta property="og:{name}" content="([^"]*)">', answer.text)
    return unescape(found[1]) if found else ""


def read_musinsa(body: Mapping[str, Any]) -> Facts:
    """The product in an answer of musinsa's API."""
    data = body["data"]
    prices = data["goodsPrice"]
    price = prices["couponPrice"] if prices["couponDiscount"] else prices["salePrice"]
    states = {"SALE": "on_sale", "SOLDOUT": "sold_out", "STOP_SALE": "off_sale"}
    return {
        "name": data["goodsNm"],
        "image": f"https://image.msscdn.net{data['thumbnailImageUrl']}",
        "list_price": prices["normalPrice"] or price,
        "price": price,
        "status": "off_sale" if data["isBuyForMember"] else states[data["goodsSaleType"]],
    }


def read_ably(goods: Mapping[str, Any]) -> Facts:
    """The product in an answer, or in the state, of ably."""
    prices = goods["price_info"]
    return {
        "name": goods["name"],
        "image": goods["cover_images"][0],
        "list_price": prices["consumer"],
        "price": prices.get("thumbnail_price") or prices["consumer"],
        "status": {"ON_SALE": "on_sale", "SOLD_OUT": "sold_out"}.get(goods["sale_type"], "off_sale"),
    }


def read_zigzag(product: Mapping[str, Any]) -> Facts:
    """The product in an answer of zigzag's operation."""
    prices = product["product_price"]
    list_price = prices["max_price_info"]["price"]
    price = (prices["final_discount_info"] or {}).get("discount_price") or list_price
    additional = prices["display_final_price"]["final_price_additional"]
    if additional and re.search("첫 ?구매", additional["badge"]["text"]):
        price = prices["display_final_price"]["final_price"]["price"]
    items = [item["sales_status"] for item in product["matched_item_list"]]
    fallback = "ON_SALE" if "ON_SALE" in items else (items[0] if items else "SUSPENDED")
    state = product["sales_status"] or fallback
    return {
        "name": product["name"],
        "image": next(one["pdp_thumbnail_url"] for one in product["product_image_list"] if one["image_type"] == "MAIN"),
        "list_price": list_price,
        "price": price,
        "status": {"ON_SALE": "on_sale", "SOLD_OUT": "sold_out"}.get(state, "off_sale"),
    }


def read_kurly(product: Mapping[str, Any]) -> Facts:
    """The product in the state of kurly's page."""
    retail_price = product["retailPrice"]
    return {
        "name": product["name"],
        "image": product["mainImageUrl"].partition("?")[0],
        "list_price": product["basePrice"] if retail_price is None else retail_price,
        "price": product["discountedPrice"] or product["basePrice"],
        "status": {"False": "on_sale", "True": "sold_out"}.get(str(product.get("isSoldOut")), "off_sale"),
    }


def read_hwahae(goods: Mapping[str, Any]) -> Facts:
    """The product in an answer of hwahae's API."""
    return {
        "name": goods["name"],
        "image": goods["title_images"][0],
        "list_price": goods["consumer_price"] or goods["price"],
        "price": goods["price"],
        "status": {"SELNG": "on_sale", "SLDOT": "sold_out", "STSEL": "off_sale"}[goods["sale_status"]],
    }
