"""How many lanes of a running batch work: fewer under pressure, none in an emergency, more again afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pagemill.engine.runner import BatchOutcome
from pagemill.model import PageReading
from tests.unit.engine.stand_ins import GOOD, Bench, batch, shop


class Gate:
    """Pages that answer when a test lets them; tells how many wait."""

    def __init__(self) -> None:
        self.waiting = 0
        self._open = asyncio.Semaphore(0)

    async def __call__(self) -> PageReading:
        self.waiting += 1
        try:
            await self._open.acquire()
        finally:
            self.waiting -= 1
        return GOOD

    async def let(self, count: int) -> None:
        """Lets so many visits end, and what follows from it happen."""
        for _ in range(count):
            self._open.release()
        await quiet()

    async def until(self, count: int) -> None:
        """Until so many visits wait."""
        async with asyncio.timeout(5):
            while self.waiting != count:
                await asyncio.sleep(0.001)


async def quiet() -> None:
    """Lets everything go on that can."""
    for _ in range(30):
        await asyncio.sleep(0)


def bench_of(lanes: int, products: int) -> tuple[Bench, Gate]:
    """A bench whose pages wait at a gate."""
    bench = Bench(platform=shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": lanes}}))
    gate = Gate()
    bench.strategy.script({f"p{number}": [gate] for number in range(1, products + 1)})
    return bench, gate


async def test_lanes_shrink_at_the_item_boundary_and_grow_back() -> None:
    """Nobody is interrupted: the lanes above the limit end with their visit."""
    bench, gate = bench_of(4, 20)
    running = asyncio.create_task(bench.runner.run(batch(20)))
    await gate.until(4)
    bench.runner.limit_lanes(1)
    await quiet()
    assert gate.waiting == 4
    await gate.let(4)
    await gate.until(1)
    await gate.let(1)
    await gate.until(1)
    bench.runner.limit_lanes(3)
    await gate.until(3)
    bench.runner.limit_lanes(9)
    await gate.until(4)
    await gate.let(20)
    assert await asyncio.wait_for(running, 5) == BatchOutcome(done=20, resumed=0, remaining=0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_no_visit_begins_while_none_is_admitted() -> None:
    """At zero the batch waits, and goes on when a lane is admitted again."""
    bench, gate = bench_of(2, 6)
    running = asyncio.create_task(bench.runner.run(batch(6)))
    await gate.until(2)
    bench.runner.limit_lanes(0)
    await gate.let(2)
    await quiet()
    assert (gate.waiting, running.done()) == (0, False)
    bench.runner.limit_lanes(2)
    await gate.until(2)
    await gate.let(6)
    assert (await asyncio.wait_for(running, 5)).done == 6


async def test_a_paused_batch_can_be_drained() -> None:
    """What was not visited goes back."""
    bench, gate = bench_of(2, 6)
    running = asyncio.create_task(bench.runner.run(batch(6)))
    await gate.until(2)
    bench.runner.limit_lanes(0)
    await gate.let(2)
    bench.runner.drain()
    assert await asyncio.wait_for(running, 5) == BatchOutcome(done=2, resumed=0, remaining=4)


async def test_a_paused_batch_can_be_cancelled() -> None:
    """A job's time-out reaches a batch that waits."""
    bench, gate = bench_of(2, 6)
    running = asyncio.create_task(bench.runner.run(batch(6)))
    await gate.until(2)
    bench.runner.limit_lanes(0)
    await gate.let(2)
    running.cancel()
    await asyncio.wait([running], timeout=5)
    assert running.cancelled()
    assert len(bench.runner.states) == 0


async def test_a_batch_that_begins_under_pressure_begins_with_fewer_lanes() -> None:
    """The limit outlives the batch it was set in."""
    bench, gate = bench_of(4, 8)
    bench.runner.limit_lanes(2)
    running = asyncio.create_task(bench.runner.run(batch(8)))
    await gate.until(2)
    await quiet()
    assert gate.waiting == 2
    await gate.let(8)
    assert (await asyncio.wait_for(running, 5)).done == 8


async def test_a_batch_that_was_begun_before_is_taken_up_at_its_other_end() -> None:
    """A product that ends every worker must not keep the others from their turn."""
    bench = Bench(platform=shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": 1}}))
    await bench.runner.run(batch(2))
    await bench.runner.run(batch(5))
    assert bench.strategy.visits == ["p1", "p2", "p5", "p4", "p3"]


async def test_the_last_few_of_such_a_batch_are_visited_one_by_one() -> None:
    """What is visited at the same moment as the product that ends workers would be lost with it every time."""
    bench = Bench(platform=shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": 4}}))
    await bench.runner.run(batch(4))
    bench.pool.most = 0
    await bench.runner.run(batch(8))
    assert bench.pool.most == 1
    await bench.runner.run(batch(60))
    assert bench.pool.most == 4


async def test_each_try_begins_at_the_other_end() -> None:
    """Whatever stands on either side of the product that ends workers is judged after two more tries."""
    bench = Bench(platform=shop(workflow={"rate_limit": {"enabled": False}, "concurrency": {"default": 1}}))
    await bench.runner.run(batch(2))
    await bench.runner.run(replace(batch(5), tries_left=3))
    assert bench.strategy.visits == ["p1", "p2", "p3", "p4", "p5"]
