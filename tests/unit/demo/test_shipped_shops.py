"""The paths of the shipped platform files, followed by JMESPath alone in the answers of every variant.

Whether pagemill itself reads and judges so is what whole runs show; this holds the files to the forms of the shops.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml
from starlette.types import ASGIApp

from pagemill.demo.shops.addresses import ADDRESSES, SHOPS, shop_url
from pagemill.demo.shops.catalogue import ShopRow, generate_shop
from pagemill.demo.shops.local import localised
from pagemill.model import FactValue, Verdict
from tests.unit.demo.asgi_client import Answer
from tests.unit.demo.shop_visits import PORT, state_of, visit

SHIPPED = Path(__file__).parents[3] / "config" / "platforms"


def local_file(shop: str) -> dict[str, Any]:
    return localised(yaml.safe_load((SHIPPED / f"{shop}.yaml").read_text(encoding="utf-8")), PORT)


def source_of(file: dict[str, Any], strategy: str) -> dict[str, Any]:
    return next(source for source in file["extract"]["sources"] if source["strategy"] == strategy)


def rows_of(shop: str) -> list[ShopRow]:
    return list(generate_shop(shop, shop_url(shop, PORT), 80))


def shops_id(file: dict[str, Any], row: ShopRow) -> str:
    found = re.search(file["product"]["id"], row.product.url)
    assert found is not None, row.product.url
    return found["id"]


def read(rules: Any, document: Any) -> FactValue:
    """What the first rule that says something says."""
    for rule in rules if isinstance(rules, list) else [rules]:
        rule = {"path": rule} if isinstance(rule, str) else rule
        value: FactValue = jmespath.search(rule["path"], document)
        if isinstance(value, str) and "map" in rule:
            words = {word: meaning for key, meaning in rule["map"].items() for word in key.split("|")}
            value = words.get(value, words.get("*"))
        if isinstance(value, str):
            text = f"{rule.get('prefix', '')}{value}"
            value = text.partition("?")[0] if rule.get("strip_query") else text
        if value not in (None, ""):  # a blank text says nothing
            return value
    return None


def read_all(source: dict[str, Any], document: Any) -> dict[str, FactValue]:
    facts = {name: read(rules, document) for name, rules in source["fields"].items()}
    return {name: value for name, value in facts.items() if value is not None}


async def ask(app: ASGIApp, shop: str, source: dict[str, Any], product_id: str) -> Answer:
    url = source["url"].replace("{id}", product_id)
    path = url.removeprefix(shop_url(shop, PORT))
    assert path.startswith("/"), url
    if "json" not in source:
        return await visit(app, shop, path, headers=source["headers"])
    body = json.dumps(source["json"]).replace("{id}", product_id).encode()
    return await visit(app, shop, path, method="POST", body=body, headers=source["headers"])


@pytest.mark.parametrize("shop", SHOPS)
def test_id_is_cut_out_of_every_link(shop: str) -> None:
    """Whatever form the catalogue's link has."""
    file = local_file(shop)
    for row in rows_of(shop):
        assert shops_id(file, row) == row.truth.product_id


@pytest.mark.parametrize("shop", ["musinsa", "zigzag", "hwahae"])
async def test_paths_of_an_api_lead_to_the_right_facts(street: ASGIApp, shop: str) -> None:
    """Of every variant; gone is told by its own sign, and a passing trouble says neither."""
    file = local_file(shop)
    source, gone = source_of(file, "http"), file["judge"]["gone"]
    for row in rows_of(shop):
        answer = await ask(street, shop, source, row.truth.product_id)
        if row.truth.variant.name == "page-only":
            assert answer.status == 503
            continue
        document = answer.json if answer.headers["content-type"] == "application/json" else {}
        facts = read_all(source, document)
        error = gone.get("error", {"path": "none", "words": []})
        is_gone = answer.status in gone["status"] or jmespath.search(error["path"], document) in error["words"]
        assert is_gone is (row.right_verdict is Verdict.GONE), row
        assert (answer.status in file["judge"]["blocked"]["status"]) is (row.right_verdict is Verdict.BLOCKED)
        assert facts == row.right_facts, row


async def test_paths_of_ablys_answer_and_state_lead_to_the_right_facts(street: ASGIApp) -> None:
    """In the answer that the page fetches, and in the state of a page that fetches none."""
    file = local_file("ably")
    capture, state = source_of(file, "api_capture"), source_of(file, "state")
    for row in rows_of("ably"):
        page = await visit(street, "ably", f"/goods/{row.truth.product_id}")
        if found := re.search(r'"token": "(\w+)"', page.text):
            headers = {"X-Anonymous-Token": found[1]}
            answer = await visit(street, "ably", f"/api/v3/goods/{row.truth.product_id}/basic/", headers=headers)
            assert read_all(capture, answer.json) == row.right_facts
        elif row.truth.variant.name == "state-only":
            assert read_all(state, {"props": {"pageProps": state_of(page)}}) == row.right_facts
        else:
            assert state_of(page) is None


async def test_paths_of_kurlys_state_lead_to_the_right_facts(street: ASGIApp) -> None:
    """A page without its product, or with one that has no name, says so by its status."""
    source = source_of(local_file("kurly"), "state")
    for row in rows_of("kurly"):
        page = await visit(street, "kurly", f"/goods/{row.truth.product_id}")
        if (state := state_of(page)) is None:
            assert row.truth.variant.name == "gone-no-state"
            continue
        facts = read_all(source, {"props": {"pageProps": state}})
        if row.right_verdict is Verdict.GONE:
            assert facts["status"] == "gone"
            assert not {"name", "list_price", "price"} & facts.keys()
        else:
            assert facts == row.right_facts


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        ("16,000원 10% 14,400원 ~", (16_000, 14_400)),
        ("16,000원10%14,400원 ~", (16_000, 14_400)),
        ("10% 16,000원 14,400원", (16_000, 14_400)),
        ("9900원", (9_900, 9_900)),
        ("119,000원", (119_000, 119_000)),
        ("10% 14,400원", (14_400, 14_400)),
        ("1,116,000원 5% 1,060,200원", (1_116_000, 1_060_200)),
        ("품절", (None, None)),
    ],
)
def test_oliveyoungs_price_text_is_read_as_its_notes_say(text: str, prices: tuple[int | None, ...]) -> None:
    """With a percentage and two numbers the first is the list price and the last the sale price."""
    fields = source_of(local_file("oliveyoung"), "dom")["fields"]
    found = []
    for name in ("list_price", "price"):
        rules = fields[name] if isinstance(fields[name], list) else [fields[name]]
        groups = (re.search(rule["regex"], text) for rule in rules)
        first = next((group[1] for group in groups if group), None)
        found.append(None if first is None else int(first.replace(",", "")))
    assert tuple(found) == prices


@pytest.mark.parametrize(
    ("shop", "lanes", "wait"),
    [
        ("musinsa", 1, 3500),
        ("zigzag", 1, 3500),
        ("hwahae", 1, 3500),
        ("ably", 4, "2000-3000"),
        ("kurly", 4, "2000-3000"),
        ("oliveyoung", 4, "2000-3000"),
    ],
)
def test_real_shops_are_visited_slowly(shop: str, lanes: int, wait: int | str) -> None:
    """At the pace and width that has gone well."""
    file = yaml.safe_load((SHIPPED / f"{shop}.yaml").read_text(encoding="utf-8"))
    assert file["workflow"]["rate_limit"]["wait_time_ms"] == wait
    assert file["workflow"]["concurrency"]["default"] == lanes
    assert not any(address in json.dumps(file) for address in ADDRESSES.values())
