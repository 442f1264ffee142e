"""What the fleet remembers of products, in a real Redis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pagemill.config.platform import Platform
from pagemill.model import Facts, Product, Verdict
from pagemill.revisit.visit_memory import Visited, VisitMemory

pytestmark = pytest.mark.redis

START = datetime(2026, 11, 21, tzinfo=UTC)


class Clock:
    """A moment that moves when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def shop(name: str = "shop") -> Platform:
    """A platform that spares visits for an hour, then two, and so on."""
    revisit = {"enabled": True, "min_ttl_s": 3600, "max_ttl_s": 86400, "tags": ["brand"]}
    extract = {"fields": {"name": "h1", "brand": ".brand"}}
    return Platform.model_validate({"platform": name, "hosts": ["shop.test"], "extract": extract, "revisit": revisit})


def product(number: int, **expected: Any) -> Product:
    return Product(f"p{number}", f"https://shop.test/{number}", expected)


def ok(number: int, brand: str = "Nike", **facts: Any) -> Visited:
    return Visited(product(number), Verdict.OK, {"name": f"Shirt {number}", "brand": brand, **facts})


def memories(client: redis.Redis, clock: Clock) -> Callable[[], VisitMemory]:
    """Makes one for each process of a fleet."""
    return lambda: VisitMemory(client, clock, lambda: 0.0)


def test_what_was_ok_is_remembered_by_the_whole_fleet(redis_client: redis.Redis) -> None:
    """Until its time is over, and longer after each visit that found the same."""
    clock = Clock()
    one, other = memories(redis_client, clock)(), memories(redis_client, clock)()
    one.note(shop(), [ok(1), ok(2)])
    for memory in (one, other):
        found = memory.recall(shop(), [product(1), product(2), product(3)])
        assert {key: seen.facts["name"] for key, seen in found.items()} == {"p1": "Shirt 1", "p2": "Shirt 2"}
    clock.now += timedelta(seconds=3600)
    assert other.recall(shop(), [product(1)]) == {}
    other.note(shop(), [ok(1)])
    clock.now += timedelta(seconds=7199)
    assert one.recall(shop("other"), [product(1)]) == {}
    assert list(memories(redis_client, clock)().recall(shop(), [product(1), product(2)])) == ["p1"]
    assert one.counts("shop") == (5, 4)


@pytest.mark.parametrize("verdict", sorted(set(Verdict) - {Verdict.OK, Verdict.FAILED}))
def test_what_is_no_longer_ok_is_forgotten(redis_client: redis.Redis, verdict: Verdict) -> None:
    """A failed visit says nothing about the product."""
    memory = memories(redis_client, Clock())()
    memory.note(shop(), [ok(1), ok(2)])
    memory.note(shop(), [Visited(product(1), verdict, {}), Visited(product(2), Verdict.FAILED, {})])
    assert list(memory.recall(shop(), [product(1), product(2)])) == ["p2"]


def test_a_product_at_another_address_is_another_one(redis_client: redis.Redis) -> None:
    """What was seen there says nothing about here."""
    memory = memories(redis_client, Clock())()
    memory.note(shop(), [ok(1)])
    assert memory.recall(shop(), [Product("p1", "https://shop.test/elsewhere", {})]) == {}


def test_a_tags_products_are_visited_again_and_no_others(redis_client: redis.Redis) -> None:
    """By what their pages said and by what the catalogue says; at once, in every process; and once."""
    clock = Clock()
    make = memories(redis_client, clock)
    memory, other = make(), make()
    memory.note(shop(), [ok(1), ok(2, "Adidas"), ok(3), ok(4, "Adidas")])
    everything = [product(1), product(2), product(3), product(4, brand="Nike")]
    assert len(memory.recall(shop(), everything)) == 4
    clock.now += timedelta(seconds=1)
    other.invalidate("shop", "brand=Nike")
    assert list(memory.recall(shop(), everything)) == ["p2"]
    clock.now += timedelta(seconds=1)
    memory.note(shop(), [ok(1), ok(3), ok(4, "Adidas")])
    assert len(other.recall(shop(), everything)) == 4
    other.invalidate("shop")
    assert memory.recall(shop(), everything) == {}


def test_facts_are_remembered_as_pages_say_them(redis_client: redis.Redis) -> None:
    """Whatever they contain."""
    clock = Clock()
    facts: Facts = {"name": "가을 \ud83d 셔츠", "price": 12.5, "in_stock": True, "image": None}
    memories(redis_client, clock)().note(shop(), [Visited(product(1), Verdict.OK, facts)])
    (seen,) = memories(redis_client, clock)().recall(shop(), [product(1)]).values()
    assert seen.facts == facts


def test_the_process_keeps_little_and_lets_go_when_asked(redis_client: redis.Redis) -> None:
    """No more than it may, and less when the guard needs memory."""
    memory = VisitMemory(redis_client, Clock(), max_kept=10)
    memory.recall(shop(), [product(number) for number in range(50)])
    assert len(memory) == 10
    memory.cleanup(0.3)
    assert len(memory) == 7
    memory.note(shop(), [ok(1)])
    assert memory.recall(shop(), [product(1)]).keys() == {"p1"}


def test_what_another_version_wrote_is_passed_over(redis_client: redis.Redis) -> None:
    """Then the product is visited."""
    for number, text in enumerate(("nonsense", "[]", "{}", '{"url": "u", "facts": {}, "at": "x", "ttl_s": 1}')):
        redis_client.set(f"pagemill:visited:shop:p{number}", text)
    assert memories(redis_client, Clock())().recall(shop(), [product(number) for number in range(4)]) == {}


def test_without_redis_nothing_is_remembered() -> None:
    """Everything is visited, and no work stops for it."""
    with redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        memory = VisitMemory(nobody)
        memory.note(shop(), [ok(1)])
        assert memory.recall(shop(), [product(1)]) == {}


def test_what_is_remembered_runs_out_by_itself(redis_client: redis.Redis) -> None:
    """A product that left the catalogue does not stay in Redis."""
    memories(redis_client, Clock())().note(shop(), [ok(1)])
    assert redis_client.ttl("pagemill:visited:shop:p1") == 3600 + 86400
