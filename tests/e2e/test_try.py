"""`pagemill try` teaches: what each source said, which one counts, and why the others do not."""

from __future__ import annotations

import json

import pytest

from pagemill.demo.shops.addresses import shop_url
from pagemill.demo.shops.local import write_local_config
from pagemill.demo.shops.truth import pinned_id
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import REPOSITORY, Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_each_source_is_told_of_each_field(place: Workplace) -> None:
    """A sold-out page of ably: the answer does not come, the page's JSON is not there, meta tags and words are read."""
    with StorefrontProcess(shops=True) as server:
        write_local_config(REPOSITORY / "config", place.config, server.port)
        product = pinned_id("ably", 7, "sold-out")
        url = f"{shop_url('ably', server.port)}/goods/{product}"
        tried = place.run("try", url, "--platform", "ably", "--json")
        table = place.run("try", url, "--platform", "ably")
    told = json.loads(tried.stdout)
    assert (told["verdict"], told["final_url"]) == ("sold_out", url)
    by_source = [(one["strategy"], one["state"]) for one in told["fields"]["name"]]
    assert by_source == [("api_capture", "not_found"), ("state", "not_found"), ("dom", "said")]
    assert told["fields"]["price"][0]["state"] == "not_found"
    assert told["signs"] == [{"verdict": "sold_out", "reason": "status is sold_out"}]
    assert any("no answer of this product's within 5 s" in trouble for trouble in told["troubles"])
    assert "3 dom" in table.stdout and "1 api_capture: not found" in table.stdout


def test_nothing_read_is_a_failure(place: Workplace, shop: StorefrontProcess) -> None:
    """However much the page says of other things."""
    place.platform(
        "demo-hydrated", extract={"ready": None, "fields": {"name": ".no-such-name"}}, judge={"sold_out": {}}
    )
    tried = place.run("try", f"{shop.base_url}/hydrated/p/h-000001", "--platform", "demo-hydrated", check=False)
    assert tried.returncode == 1
    assert "failed: nothing was read" in tried.stdout


def test_what_was_asked_for_without_a_page_is_told(place: Workplace, shop: StorefrontProcess) -> None:
    """The address that a template came to, and what came."""
    fields = {"name": "data.name", "price": {"path": "data.prize", "type": "number"}}
    place.platform(
        "demo-api",
        extract={"strategy": "http", "match": None, "url": "/api/v1/products/{id}", "fields": fields},
        judge={"gone": {}, "blocked": {}},
    )
    url = f"{shop.base_url}/api/p/a-000002.ok"
    tried = place.run("try", url, "--platform", "demo-api", "--id", "a-000002.ok")
    assert f"{shop.base_url}/api/v1/products/a-000002.ok: HTTP 200, JSON" in tried.stdout
    assert "1 http: not found" in tried.stdout


def test_steps_before_reading_are_told(place: Workplace, shop: StorefrontProcess) -> None:
    """What each of them did; of one that failed, those before it as well."""
    url = f"{shop.base_url}/hydrated/p/h-000001.ok"
    passing = {"dismiss": {"selector": ".wall", "within_ms": 50}}
    place.platform("demo-hydrated", steps=[passing, {"wait_for": "h1"}])
    tried = place.run("try", url, "--platform", "demo-hydrated")
    assert "dismiss .wall: was not there within 50 ms, " in tried.stdout
    assert "wait for h1: was there, " in tried.stdout
    told = json.loads(place.run("try", url, "--platform", "demo-hydrated", "--json").stdout)
    assert [one["step"] for one in told["steps"]] == ["dismiss .wall", "wait for h1"]
    place.platform("demo-hydrated", steps=[passing, {"click": {"selector": ".more", "within_ms": 50}}])
    failed = place.run("try", url, "--platform", "demo-hydrated", check=False)
    assert failed.returncode == 1
    assert "step 2 (click .more): was not there within 50 ms" in failed.stderr
    assert "dismiss .wall: was not there within 50 ms" in failed.stderr
