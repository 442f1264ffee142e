"""A shop that challenges sessions, remembers what they were, or has enough for a moment: every verdict is right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml

from pagemill.config.loading import load_config
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import ItemResult, Product, Verdict
from pagemill.telemetry import events
from tests.e2e.wary_shop import PRICE, WaryShop, wary_shop
from tests.e2e.workplace import Workplace, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]


def enqueued(
    place: Workplace, shop: WaryShop, queries: list[str], *, lanes: int = 4, driver: str = "auto", **sections: Any
) -> str:
    """A run of products with these queries."""
    price = {"selector": ".price", "type": "number"}
    platform = {
        "platform": "wary",
        "hosts": ["127.0.0.1"],
        "workflow": {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": lanes}},
        "rotation": {"page": 10, "context": 50},
        "extract": {"ready": "body[data-ready]", "fields": {"name": "h1", "price": price}},
        "judge": {"blocked": {"status": [403, 429], "text": ["Prove that you are human"]}},
        "retry": {"attempts": 3, "backoff_ms": 50},
        **sections,
    }
    (place.config / "platforms" / "wary.yaml").write_text(yaml.safe_dump(platform))
    place.settings(browser={"driver": driver})
    products = (
        Product(f"{number:03}", shop.url(number, query), {"name": f"Product {number}", "price": PRICE})
        for number, query in enumerate(queries)
    )
    config = load_config(place.config, {})
    with place.redis() as redis, place.store() as store:
        return enqueue_run(
            products,
            config.platforms["wary"],
            source="test",
            batch_size=100,
            settings=config.settings.queue,
            redis=redis,
            store=store,
        ).run


def validated(place: Workplace, shop: WaryShop, queries: list[str], **how: Any) -> list[ItemResult]:
    """The results of such a run, in the order of its products."""
    run = enqueued(place, shop, queries, **how)
    with place.worker("--burst") as worker:
        assert worker.wait(100) == 0
    results = sorted(place.results(run), key=lambda result: result.product_id)
    assert [result.product_id for result in results] == [f"{number:03}" for number in range(len(queries))]
    return results


@pytest.mark.parametrize("driver", ["auto", "playwright"])
@pytest.mark.parametrize("refusal", ["403", "captcha"])
def test_a_shop_that_challenges_the_second_visit_of_each_session(place: Workplace, refusal: str, driver: str) -> None:
    """60 of 60 are right: no session is used on after a challenge, and the breaker stays closed."""
    with wary_shop() as shop:
        shop.refusal, shop.refuses = refusal, lambda of_session, _of_all: of_session % 2 == 0
        results = validated(place, shop, [""] * 60, driver=driver)
        assert Counter(result.verdict for result in results) == {Verdict.OK: 60}
        used = Counter(session for _path, session, _status in shop.asked)
    assert max(used.values()) == 2
    assert {result.attempts for result in results} == {1, 2}
    assert len(shop.asked) == sum(result.attempts for result in results)
    assert place.events(events.BREAKER_OPENED) == []
    reasons = Counter(line["reason"] for line in place.events(events.CONTEXT_ROTATION))
    assert reasons["blocked"] == sum(result.attempts - 1 for result in results)


def test_a_shop_that_blocks_everybody_is_soon_left_alone(place: Workplace) -> None:
    """Strangers are blocked as well, and that counts: five products, not each of a hundred several times."""
    lanes, attempts, blocks = 2, 3, 5
    with wary_shop() as shop:
        shop.refusal, shop.refuses = "403", lambda _of_session, _of_all: True
        enqueued(place, shop, [""] * 100, lanes=lanes)
        with place.worker("--processes", "1") as worker:
            eventually(lambda: bool(place.events(events.BATCH_RETURNED)), 60, "the batch to go back")
            worker.terminate()
            assert worker.wait(60) == 0
        assert len(place.events(events.BREAKER_OPENED)) == 1
        assert blocks <= len(shop.asked) <= (blocks + lanes) * attempts


def test_what_stays_blocked_is_blocked(place: Workplace) -> None:
    """After all its attempts, however often the breaker opened in between."""
    breaker = {"blocks": 2, "open_s": 0.2, "open_max_s": 0.2}
    workflow = {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": 2}, "breaker": breaker}
    with wary_shop() as shop:
        shop.refusal, shop.refuses = "captcha", lambda _of_session, _of_all: True
        results = validated(place, shop, [""] * 4, workflow=workflow)
    assert {(result.verdict, result.attempts) for result in results} == {(Verdict.BLOCKED, 3)}
    assert place.events(events.BREAKER_OPENED)


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_429_is_waited_out_and_the_product_visited_again(place: Workplace, lanes: int) -> None:
    """It is neither the verdict nor lost, and everybody waits."""
    with wary_shop() as shop:
        shop.refusal, shop.refuses = "429", lambda _of_session, of_all: of_all == 6
        results = validated(place, shop, [""] * 12, lanes=lanes)
        assert [status for _path, _session, status in shop.asked].count(429) == 1
    assert {result.verdict for result in results} == {Verdict.OK}
    assert sum(result.attempts for result in results) == 13
    assert [line["seconds"] for line in place.events(events.PLATFORM_PAUSED)] == [1.0]


@pytest.mark.parametrize("refusal", ["403", "429"])
def test_a_request_without_a_page_is_tried_again_too(place: Workplace, refusal: str) -> None:
    """It keeps no cookies, so there is nothing to retire."""
    extract = {"strategy": "http", "fields": {"name": "name", "price": "price"}}
    with wary_shop() as shop:
        shop.refusal, shop.refuses = refusal, lambda _of_session, of_all: of_all == 2
        results = validated(place, shop, [""] * 4, lanes=1, extract=extract, judge={})
    assert [(result.verdict, result.attempts) for result in results] == [
        (Verdict.OK, 1),
        (Verdict.OK, 2),
        (Verdict.OK, 1),
        (Verdict.OK, 1),
    ]
    assert place.events(events.CONTEXT_ROTATION) == []


def test_a_retry_never_meets_the_cookies_of_the_visit_that_failed(place: Workplace) -> None:
    """One product's address sets a currency that has no prices; the next is read as a visitor without it."""
    with wary_shop() as shop:
        results = validated(place, shop, ["", "?currency=none", "", ""], lanes=1)
    assert [(result.verdict, result.attempts) for result in results] == [
        (Verdict.OK, 1),
        (Verdict.OK, 1),
        (Verdict.OK, 2),
        (Verdict.OK, 1),
    ]


@pytest.mark.parametrize("driver", ["auto", "playwright"])
def test_a_regular_expression_without_end_fails_its_product_alone(place: Workplace, driver: str) -> None:
    """Its reason says which one; neighbours have their verdicts, and nobody has to wake the worker."""
    row = ",".join("1" * 60)
    with wary_shop() as shop:
        rule = {"selector": ".text", "regex": "^(.*?,){25}P"}
        extract = {"fields": {"name": "h1", "price": {"selector": ".price", "type": "number"}, "text": rule}}
        queries = ["", f"?text={row}", *[""] * 18]
        results = validated(place, shop, queries, driver=driver, extract=extract)
    assert [result.verdict for result in results] == [Verdict.OK, Verdict.FAILED, *[Verdict.OK] * 18]
    assert results[1].reason.startswith("text: the regular expression '^(.*?,){25}P' took longer than 0.5 s")
    assert place.events(events.LOOP_STUCK) == []


def test_a_price_in_another_products_currency_is_not_confirmed(place: Workplace) -> None:
    """A second visit says otherwise, and nothing else is visited in the session that has the cookie."""
    with wary_shop() as shop:
        results = validated(place, shop, ["?currency=USD", "", "", ""], lanes=1, confirm=["changed"])
    assert [(result.verdict, result.attempts) for result in results] == [
        (Verdict.CHANGED, 2),  # its own address says so each time
        (Verdict.OK, 3),
        (Verdict.OK, 1),
        (Verdict.OK, 1),
    ]
