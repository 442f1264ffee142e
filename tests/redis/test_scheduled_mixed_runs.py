"""An entry of the schedule over several platforms: one run, each product by the host of its URL, whatever crashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from redis import Redis

from pagemill.intake import enqueue
from pagemill.intake.batch_job import open_queue
from pagemill.intake.schedule_firing import FiringOutcome
from pagemill.intake.schedule_firing_log import LEADER_KEY
from pagemill.results.asked_batches import AskedBatches
from tests.redis.test_scheduler import THREE, Office, fire_and_die

pytestmark = pytest.mark.redis

PRODUCTS = 40
MALL = [f"p{number:03d}" for number in range(PRODUCTS) if number % 9 == 0]
SHOP = [f"p{number:03d}" for number in range(PRODUCTS) if number % 9]


@pytest.fixture
def office(tmp_path: Path, redis_client: Redis) -> Iterator[Office]:
    """With two platforms, few of whose products are one's; the entry has been seen."""
    office = Office(tmp_path, redis_client)
    mall = {"platform": "mall", "hosts": ["mall.test"], "extract": {"fields": {"name": "h1", "brand": "h2"}}}
    (tmp_path / "config" / "platforms" / "mall.yaml").write_text(yaml.safe_dump(mall))
    rows = [f"p{number:03d},https://{'shop' if number % 9 else 'mall'}.test/{number},n" for number in range(PRODUCTS)]
    office.catalogue.write_text("\n".join(["id,url,name", *rows]) + "\n")
    office.schedule(platform="auto")
    office.scheduler().tick()
    redis_client.delete(LEADER_KEY)
    yield office
    office.store.close()


def queued(office: Office, platform: str) -> list[str]:
    """Ids of the platform's products that wait."""
    return [product[0] for job in open_queue(office.client, platform).jobs for product in job.args[3]]


def test_a_due_time_puts_each_product_on_its_platforms_queue(office: Office) -> None:
    """All in one run."""
    office.clock.now = THREE
    office.scheduler().tick()
    assert (queued(office, "shop"), queued(office, "mall")) == (SHOP, MALL)
    assert (office.last().outcome, office.last().detail) == (FiringOutcome.QUEUED, f"{PRODUCTS} products")
    (run,) = office.store.runs()
    assert (run.run, run.platform, run.products) == (office.last().run, "auto", PRODUCTS)
    assert run.run.startswith("20261121-030000-auto-")


def test_a_filter_may_name_a_field_of_any_of_them(office: Office) -> None:
    """A product whose platform does not have it does not fit."""
    rows = ["A,https://mall.test/1,x", "B,https://mall.test/2,y", "C,https://shop.test/3,x"]
    office.catalogue.write_text("\n".join(["id,url,brand", *rows]) + "\n")
    office.schedule(platform="auto", filter={"brand": "x"})
    office.clock.now = THREE
    office.scheduler().tick()
    assert (queued(office, "shop"), queued(office, "mall")) == ([], ["A"])


@pytest.mark.parametrize("batches", [0, 1, 2, 3, 4, 5])
def test_one_that_dies_while_it_fires_is_replaced_by_one_that_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """After any number of batches, while the rarer platform's is filling: each product once, in one run."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 10)
    fire_and_die(office, monkeypatch, batches)
    run = office.last().run
    assert AskedBatches(office.store).reached(run).batches == min(batches + 1, 5)
    office.client.delete(LEADER_KEY)
    office.scheduler("s2").tick()
    assert (queued(office, "shop"), queued(office, "mall")) == (SHOP, MALL)
    assert (office.last().run, office.last().outcome) == (run, FiringOutcome.QUEUED)
    assert office.store.progress(run).products == PRODUCTS


def test_a_platform_that_is_gone_meanwhile_costs_nobody_else(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was noted of it stays noted; the rest of the catalogue is queued, its own rows are bad ones."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 2)
    office.schedule(platform="auto", batch_size=2)
    office.clock.now = THREE
    active = office.scheduler("s1")

    def stop_later() -> None:
        if "mall" in {each.platform for each in AskedBatches(office.store).outstanding()}:
            active.stop()

    monkeypatch.setattr(active._lead, "renew", stop_later)
    with pytest.raises(Exception, match="the scheduler stops"):
        active.tick()
    assert queued(office, "mall") == MALL[:2]
    (office.folder / "config" / "platforms" / "mall.yaml").unlink()
    office.client.delete(LEADER_KEY)
    office.client.flushall()
    office.scheduler("s2").tick()
    assert queued(office, "shop") == SHOP
    assert queued(office, "mall") == MALL[:2]
