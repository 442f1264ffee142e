"""Six shops in one worker: whatever stops it, or one of the shops, each product has one result, and the right one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rq.command import send_stop_job_command
from rq.serializers import JSONSerializer

from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.fleet.snapshot import read_fleet
from pagemill.intake.batch_job import job_id, open_queue
from pagemill.model import Verdict
from pagemill.telemetry import events
from tests.e2e.workplace import Workplace, assert_each_right_once, assert_none_visited_twice, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

SHOPS = tuple(f"shop-{number}" for number in range(1, 7))
MANY = 12
"""Products of each shop: so many that three are done of each while none has all."""
PACE = {"rate_limit": {"wait_time_ms": "200-400"}, "concurrency": {"default": 2}}
DEADLY = textwrap.dedent(
    '''
    """A strategy that one product makes end the whole process."""
    import os
    import signal

    from pagemill.config.reading.field_rule import FieldRule
    from pagemill.extraction.page_reader import Watch, visit_page
    from pagemill.extraction.values import to_fact
    from pagemill.model import PageReading

    NUMBER = FieldRule(path="price", type="number")


    class DeadlyStrategy:
        def __init__(self, platform):
            places = (("h1.name", None), (".price", None), (".stock", None))
            self.watch = Watch.of(platform, places, ready="body[data-ready]")

        async def read(self, page, visit):
            if visit.product.id.endswith("0007"):
                os.kill(os.getpid(), signal.SIGKILL)
            seen = await visit_page(page, visit, self.watch)
            name, price, stock = seen.raw or (None, None, None)
            facts = {"name": name, "price": price and to_fact(price, NUMBER), "in_stock": stock and stock == "in"}
            return PageReading(seen.status, seen.url, facts, seen.ready, seen.texts)
    '''
)


class Shops:
    """Six platforms of one workplace, with a run each."""

    def __init__(self, place: Workplace, shop: StorefrontProcess) -> None:
        self.place = place
        self.shop = shop
        self.rows: dict[str, list[CatalogueRow]] = {}
        self.runs: dict[str, str] = {}
        place.platform("demo-hydrated", workflow=PACE)
        self._shipped = place.config / "platforms" / "demo-hydrated.yaml"
        self._source = yaml.safe_load(self._shipped.read_text())
        for name in SHOPS:
            self.configure(name)
        self._shipped.unlink()

    def configure(self, name: str, **changes: dict[str, object]) -> None:
        """Writes a shop's file, with keys of its own in these sections."""
        sections = {section: self._source.get(section, {}) | keys for section, keys in changes.items()}
        source = self._source | {"platform": name} | sections
        Path(self._shipped).with_name(f"{name}.yaml").write_text(yaml.safe_dump(source))

    def enqueue(self, count: int, faults: Mapping[str, list[str]] = {}, fault_every: int = 2) -> None:
        """A run of so many products for each shop, in one batch."""
        for number, name in enumerate(SHOPS, 1):
            rows = generate(
                "demo-hydrated",
                self.shop.base_url,
                count,
                seed=number,
                faults=faults.get(name, []),
                fault_every=fault_every,
            )
            self.rows[name] = list(rows)
            self.runs[name] = self.place.enqueue(name, self.rows[name], batch_size=count)

    def done(self, name: str) -> int:
        with self.place.store() as store:
            return store.progress(self.runs[name]).done

    def wait_for_each(self, count: int, timeout_s: float = 60) -> None:
        """Until each shop has so many results."""
        eventually(lambda: min(map(self.done, SHOPS)) >= count, timeout_s, f"{count} results of each shop", self.told)

    def told(self) -> object:
        return {name: self.done(name) for name in SHOPS}

    def assert_each_right_once(self, but: str = "") -> None:
        for name in SHOPS:
            if name != but:
                assert_each_right_once(self.rows[name], self.place.results(self.runs[name]))

    def assert_none_visited_twice(self) -> None:
        for name in SHOPS:
            assert_none_visited_twice(self.shop, self.place.results(self.runs[name]))

    def finish(self) -> None:
        """By another worker."""
        with self.place.worker("--burst") as worker:
            assert worker.wait(120) == 0, self.place.log.read_text()[-5000:]


@pytest.fixture
def shops(place: Workplace, shop: StorefrontProcess) -> Shops:
    """Configured, and nothing queued yet."""
    return Shops(place, shop)


def test_all_are_at_work_at_once_and_rq_sees_them(shops: Shops) -> None:
    """One worker of RQ's for each, and one for the process; `rq info` needs no change for it."""
    shops.enqueue(10)
    place = shops.place
    with place.worker() as worker:
        shops.wait_for_each(2)
        with place.redis() as redis:
            [seen] = read_fleet(redis)
            socket = redis.connection_pool.connection_kwargs["path"]
        eventually(lambda: len(_at_work(place)) == 6, 20, "six batches at work", lambda: _at_work(place))
        command = [str(Path(sys.executable).with_name("rq")), "info", "--raw", "--url", f"unix://{socket}"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        shops.wait_for_each(10)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    workers = {line.split()[1] for line in told.splitlines() if line.startswith("worker ")}
    assert workers == {seen.name, *(f"{seen.name}.{name}" for name in SHOPS)}
    assert sorted(line.split()[2].rstrip(",") for line in told.splitlines() if line.startswith("queue ")) == ["0"] * 6
    shops.assert_each_right_once()
    shops.assert_none_visited_twice()
    place.assert_nothing_left()


def _at_work(place: Workplace) -> list[str]:
    with place.redis() as redis:
        return [batch.platform for each in read_fleet(redis) for batch in each.batches]


def test_a_killed_worker_leaves_six_batches_that_are_resumed(shops: Shops) -> None:
    """Only what had no result is visited again."""
    shops.enqueue(MANY)
    place = shops.place
    with place.worker() as first:
        shops.wait_for_each(3)
        first.kill()
        first.wait()
    before = {name: {each.product_id for each in place.results(shops.runs[name])} for name in SHOPS}
    assert all(3 <= len(done) < MANY for done in before.values())
    with place.worker() as second:
        shops.wait_for_each(MANY)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0
    shops.assert_each_right_once()
    for name in SHOPS:
        results = place.results(shops.runs[name])
        visits = {each.product_id: shops.shop.hits(each.product_id).visits for each in results if each.attempts == 1}
        assert {visits[product] for product in before[name] & visits.keys()} == {1}
    place.assert_nothing_left()


def test_a_stop_drains_all_and_loses_none(shops: Shops) -> None:
    """All six batches are back on their queues with all their retries, and no product is visited twice."""
    shops.enqueue(MANY)
    place = shops.place
    with place.worker() as first:
        shops.wait_for_each(3)
        first.send_signal(signal.SIGTERM)
        assert first.wait(20) == 0
    with place.redis() as redis:
        for name in SHOPS:
            queue = open_queue(redis, name)
            assert (len(queue), queue.started_job_registry.count, queue.failed_job_registry.count) == (1, 0, 0)
            assert queue.jobs[0].retries_left == 5
    shops.finish()
    shops.assert_each_right_once()
    shops.assert_none_visited_twice()
    place.assert_nothing_left()


def test_a_second_signal_stops_all_at_once(shops: Shops) -> None:
    """Pages that hang for a minute keep nobody; no product is lost."""
    for name in SHOPS:
        shops.configure(name, navigation={"timeout_ms": 60_000})
    shops.enqueue(2, {name: ["hang"] for name in SHOPS}, fault_every=1)
    place = shops.place
    with place.worker() as worker:
        eventually(lambda: shops.shop.hits().faults.get("hang", 0) >= 6, 60, "the visits")
        worker.send_signal(signal.SIGTERM)
        time.sleep(1.5)  # two signals within a second are one
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert [place.results(run) for run in shops.runs.values()] == [[]] * 6
    with place.redis() as redis:
        assert [len(open_queue(redis, name)) for name in SHOPS] == [1] * 6
    place.assert_nothing_left()


def test_one_batch_that_hangs_ends_for_itself(shops: Shops) -> None:
    """By its time-out, or because somebody stops it; five others are done long before."""
    hanging = "shop-3"
    shops.configure(hanging, navigation={"timeout_ms": 120_000}, workflow=PACE | {"breaker": {"enabled": False}})
    shops.place.settings(queue={"job_timeout_s": 20, "max_retries": 0})
    shops.enqueue(6, {hanging: ["hang"]}, fault_every=1)
    place = shops.place
    with place.worker() as worker:
        eventually(
            lambda: all(shops.done(name) == 6 for name in SHOPS if name != hanging), 40, "five shops", shops.told
        )
        assert shops.done(hanging) == 0
        eventually(lambda: shops.done(hanging) == 6, 40, "the sixth", shops.told)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    shops.assert_each_right_once(but=hanging)
    reasons = {result.reason for result in place.results(shops.runs[hanging])}
    assert len(reasons) == 1
    assert "exceeded maximum timeout" in reasons.pop()
    place.assert_nothing_left()


def test_one_batch_can_be_stopped_by_rqs_command(shops: Shops) -> None:
    """It is given up; the others go on."""
    shops.enqueue(8)
    place, stopped = shops.place, "shop-5"
    with place.worker() as worker:
        shops.wait_for_each(2)
        with place.redis() as redis:
            send_stop_job_command(redis, job_id(shops.runs[stopped], "b00001"), serializer=JSONSerializer)
        shops.wait_for_each(8)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    shops.assert_each_right_once(but=stopped)
    results = place.results(shops.runs[stopped])
    assert len(results) == 8
    assert any("stopped by a user" in result.reason for result in results)


def test_a_batch_that_kills_workers_takes_no_other_with_it(shops: Shops) -> None:
    """It is given up at the end; its own other products have their verdicts, and so have those beside it."""
    place, deadly = shops.place, "shop-2"
    (place.folder / "deadly.py").write_text(DEADLY)
    path = os.pathsep.join([str(place.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    place.environment_changes |= {"PYTHONPATH": path}
    shops.configure(deadly, extract={"strategy": "deadly.DeadlyStrategy"})
    retries = 3
    place.settings(queue={"max_retries": retries}, supervisor={"respawn_backoff_s": 0.2})
    shops.enqueue(10)
    with place.worker("--processes", "1") as supervisor:
        shops.wait_for_each(10, timeout_s=200)
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    shops.assert_each_right_once(but=deadly)
    results = {result.product_id: result for result in place.results(shops.runs[deadly])}
    assert len(results) == len(place.results(shops.runs[deadly])) == 10
    [dead] = [row for row in shops.rows[deadly] if row.product.id.endswith("0007")]
    failed = replace(dead, right_verdict=Verdict.FAILED, also_right=frozenset())
    rows = [failed if row is dead else row for row in shops.rows[deadly]]
    assert_each_right_once(rows, list(results.values()))
    assert "its workers died again and again" in results[dead.product.id].reason
    assert len(place.events(events.WORKER_ENDED)) >= retries + 1


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_redis_may_go_away_under_six_batches(shops: Shops, how: str) -> None:
    """The worker waits for it; nothing is lost and nothing doubled."""
    shops.enqueue(MANY)
    place = shops.place
    with place.worker("--burst") as worker:
        shops.wait_for_each(3)
        with place.redis() as redis:
            server = int(redis.info("server")["process_id"])
        if how == "frozen":
            os.kill(server, signal.SIGSTOP)
            time.sleep(4)
            os.kill(server, signal.SIGCONT)
        else:
            os.kill(server, signal.SIGKILL)
            time.sleep(1)
            place.run("status")  # starts the embedded server again
        assert worker.wait(120) in (0, 69)
    shops.finish()
    shops.assert_each_right_once()
    place.assert_nothing_left()
