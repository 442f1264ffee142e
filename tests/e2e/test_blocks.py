"""A shop that challenges sessions, remembers what they were, or has enough for a moment: every verdict is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Case:
    """A shop of its own with a platform of its own, and what came of it when one worker has worked all of them off."""

    place: Workplace
    shop: WaryShop
    platform: str
    run: str
    products: int

    @property
    def results(self) -> list[ItemResult]:
        """In the order of the products, of which each must have one."""
        results = sorted(self.place.results(self.run), key=lambda result: result.product_id)
        assert [result.product_id for result in results] == [f"{number:03}" for number in range(self.products)]
        return results

    @property
    def judged(self) -> list[tuple[Verdict, int]]:
        """Verdicts and attempts."""
        return [(result.verdict, result.attempts) for result in self.results]

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the worker has logged of this platform."""
        return [line for line in self.place.events(name) if line["platform"] == self.platform]


@contextmanager
def wary_shops(place: Workplace) -> Iterator[Callable[..., Case]]:
    """Makes shops, each with a run of products."""
    with ExitStack() as stack:
        stack.enter_context(place.redis())

        def case(
            platform: str,
            queries: list[str],
            refusal: str = "",
            refuses: Callable[[int, int], bool] | None = None,
            *,
            lanes: int = 4,
            **sections: Any,
        ) -> Case:
            shop = stack.enter_context(wary_shop())
            shop.refusal, shop.refuses = refusal, refuses
            return Case(
                place, shop, platform, enqueued(place, shop, platform, queries, lanes, **sections), len(queries)
            )

        yield case


def enqueued(place: Workplace, shop: WaryShop, name: str, queries: list[str], lanes: int, **sections: Any) -> str:
    """A run of products with these queries."""
    price = {"selector": ".price", "type": "number"}
    platform = {
        "platform": name,
        "hosts": ["127.0.0.1"],
        "workflow": {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": lanes}},
        "rotation": {"page": 10, "context": 50},
        "extract": {"ready": "body[data-ready]", "fields": {"name": "h1", "price": price}},
        "judge": {"blocked": {"status": [403, 429], "text": ["Prove that you are human"]}},
        "retry": {"attempts": 3, "backoff_ms": 50},
        **sections,
    }
    (place.config / "platforms" / f"{name}.yaml").write_text(yaml.safe_dump(platform))
    products = (
        Product(f"{number:03}", shop.url(number, query), {"name": f"Product {number}", "price": PRICE})
        for number, query in enumerate(queries)
    )
    config = load_config(place.config, {})
    with place.redis() as redis, place.store() as store:
        return enqueue_run(
            products,
            config.platforms[name],
            source="test",
            batch_size=100,
            settings=config.settings.queue,
            redis=redis,
            store=store,
        ).run


def work_off(place: Workplace) -> None:
    """By one worker, all shops at once."""
    with place.worker("--burst") as worker:
        assert worker.wait(100) == 0


def every_second_visit(of_session: int, _of_all: int) -> bool:
    return of_session % 2 == 0


def always(_of_session: int, _of_all: int) -> bool:
    return True


@pytest.mark.parametrize("driver", ["auto", "playwright"])
def test_what_one_visit_did_is_no_matter_to_the_next(place: Workplace, driver: str) -> None:
    """Of shops that challenge the second visit of each session 24 of 24 are right: no session is used on after a
    challenge, and the breaker stays closed. A regular expression without end fails its product alone: its reason says
    which one, neighbours have their verdicts, and nobody has to wake the worker."""
    place.settings(browser={"driver": driver})
    rule = {"selector": ".text", "regex": "^(.*?,){25}P"}
    extract = {"fields": {"name": "h1", "price": {"selector": ".price", "type": "number"}, "text": rule}}
    row = ",".join("1" * 60)
    with wary_shops(place) as case:
        challenging = [
            case(f"wary-{refusal}", [""] * 24, refusal, every_second_visit) for refusal in ("403", "captcha")
        ]
        endless = case("endless", ["", f"?text={row}", *[""] * 8], extract=extract)
        work_off(place)
    for each in challenging:
        assert Counter(result.verdict for result in each.results) == {Verdict.OK: 24}
        assert max(Counter(session for _path, session, _status in each.shop.asked).values()) == 2
        attempts = [result.attempts for result in each.results]
        assert set(attempts) == {1, 2}
        assert len(each.shop.asked) == sum(attempts)
        reasons = Counter(line["reason"] for line in each.events(events.CONTEXT_ROTATION))
        assert reasons["blocked"] == sum(attempts) - len(attempts)
    assert place.events(events.BREAKER_OPENED) == []
    assert [verdict for verdict, _ in endless.judged] == [Verdict.OK, Verdict.FAILED, *[Verdict.OK] * 8]
    assert endless.results[1].reason.startswith("text: the regular expression '^(.*?,){25}P' took longer than 0.5 s")
    assert place.events(events.LOOP_STUCK) == []


def test_a_shop_that_blocks_everybody_is_soon_left_alone(place: Workplace) -> None:
    """Strangers are blocked as well, and that counts: five products, not each of a hundred several times."""
    lanes, attempts, blocks = 2, 3, 5
    with wary_shops(place) as case:
        shop = case("wary", [""] * 100, "403", always, lanes=lanes).shop
        with place.worker("--processes", "1") as worker:
            eventually(lambda: bool(place.events(events.BATCH_RETURNED)), 60, "the batch to go back")
            worker.terminate()
            assert worker.wait(60) == 0
        assert len(place.events(events.BREAKER_OPENED)) == 1
        assert blocks <= len(shop.asked) <= (blocks + lanes) * attempts


def test_each_way_to_be_refused_has_its_verdict(place: Workplace) -> None:
    """Of seven shops in one worker."""
    breaker = {"blocks": 2, "open_s": 0.2, "open_max_s": 0.2}
    workflow = {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": 2}, "breaker": breaker}
    http = {"extract": {"strategy": "http", "fields": {"name": "name", "price": "price"}}, "judge": {}}
    with wary_shops(place) as case:
        stays = case("stays-blocked", [""] * 4, "captcha", always, workflow=workflow)
        too_many = [
            case(f"too-many-{lanes}", [""] * 12, "429", lambda _of_session, of_all: of_all == 6, lanes=lanes)
            for lanes in (1, 4)
        ]
        without_page = [
            case(f"http-{refusal}", [""] * 4, refusal, lambda _of_session, of_all: of_all == 2, lanes=1, **http)
            for refusal in ("403", "429")
        ]
        no_prices = case("no-prices", ["", "?currency=none", "", ""], lanes=1)
        dollars = case("dollars", ["?currency=USD", "", "", ""], lanes=1, confirm=["changed"])
        work_off(place)

    # What stays blocked is blocked, after all its attempts, however often the breaker opened in between.
    assert set(stays.judged) == {(Verdict.BLOCKED, 3)}
    assert stays.events(events.BREAKER_OPENED)

    # A 429 is neither the verdict nor lost: it is waited out by everybody, and the product visited again.
    for each in too_many:
        assert [status for _path, _session, status in each.shop.asked].count(429) == 1
        assert {verdict for verdict, _ in each.judged} == {Verdict.OK}
        assert sum(attempts for _, attempts in each.judged) == 13
        assert [line["seconds"] for line in each.events(events.PLATFORM_PAUSED)] == [1.0]

    # A request without a page keeps no cookies, so there is nothing to retire.
    for each in without_page:
        assert each.judged == [(Verdict.OK, 1), (Verdict.OK, 2), (Verdict.OK, 1), (Verdict.OK, 1)]
        assert each.events(events.CONTEXT_ROTATION) == []

    # One product's address sets a currency that has no prices; the next is read as a visitor without it.
    assert no_prices.judged == [(Verdict.OK, 1), (Verdict.OK, 1), (Verdict.OK, 2), (Verdict.OK, 1)]

    # A second visit says otherwise, and nothing else is visited in the session that has the cookie.
    assert dollars.judged == [
        (Verdict.CHANGED, 2),  # its own address says so each time
        (Verdict.OK, 3),
        (Verdict.OK, 1),
        (Verdict.OK, 1),
    ]
