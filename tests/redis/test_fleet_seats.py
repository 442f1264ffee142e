"""Seats: so many visits of a platform at one time, by all workers together, in a real Redis, whatever happens."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog.testing import capture_logs

from pagemill.broker.connection import open_redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.config.platform import Platform
from pagemill.errors import TurnDenied
from pagemill.pacing import fleet_pace
from pagemill.pacing.fleet_pace import RedisFleetPace
from pagemill.pacing.turns import Turn, Turns
from pagemill.pacing.visit_answer import VisitAnswer, Welcome
from pagemill.telemetry import events

pytestmark = pytest.mark.redis

SEATS, LINE = "pagemill:pacing:shop:seats", "pagemill:pacing:shop:line"
BLOCKED = VisitAnswer(Welcome.BLOCKED, 403)


def shop(fleet: int | None = 1, name: str = "shop", **workflow: Any) -> Platform:
    """A platform without waits that bears so many visits at one time."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"rate_limit": {"wait_time_ms": 0}, "concurrency": {"fleet": fleet}, **workflow},
            "extract": {"fields": {"name": "h1"}},
            "navigation": {"timeout_ms": 20_000},
        }
    )


def never() -> asyncio.Event:
    """No stop."""
    return asyncio.Event()


WorkerOf = Callable[[], Turns]


@pytest.fixture
def worker(redis_server: str, redis_client: redis.Redis) -> Iterator[WorkerOf]:
    """Makes workers' turns, each with a client of its own."""
    redis_client.ping()
    with ExitStack() as clients:
        yield lambda: Turns(RedisFleetPace(clients.enter_context(redis.Redis.from_url(redis_server))))


class Shop:
    """Counts who is there."""

    def __init__(self) -> None:
        self.there: list[str] = []
        self.most = 0
        self.came: list[str] = []

    @asynccontextmanager
    async def visit(self, who: str) -> AsyncIterator[None]:
        self.there.append(who)
        self.came.append(who)
        self.most = max(self.most, len(self.there))
        try:
            yield
        finally:
            self.there.remove(who)


async def until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    """Waits for it."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.01)


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancels and awaits them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def stay(turns: Turns, platform: Platform, lane: int, release: asyncio.Event) -> None:
    """A visit that ends when it is told to."""
    async with turns.turn(platform, lane, never()) as turn:
        await turn.begin()
        await release.wait()


def the_seat(client: redis.Redis) -> tuple[bytes, float]:
    """The only one that is taken, and the moment when it runs out, in microseconds."""
    [(seat, until_us)] = cast(list[tuple[bytes, float]], client.zrange(SEATS, 0, -1, withscores=True))
    return seat, until_us


@pytest.mark.parametrize("fleet", [1, 2, 3])
async def test_never_are_more_visits_at_work_than_there_are_seats(
    worker: WorkerOf, redis_client: redis.Redis, fleet: int
) -> None:
    """Three workers of four lanes, whose visits end well, fail, are cancelled at any moment, or never begin."""
    platform, place, chance = shop(fleet), Shop(), random.Random(fleet)

    async def attempt(turns: Turns, lane: int, who: str) -> None:
        async with turns.turn(platform, lane, never()) as turn:
            if chance.random() < 0.1:
                return
            await turn.begin()
            async with place.visit(who):
                await asyncio.sleep(chance.uniform(0.01, 0.05))  # longer than it takes to hand a seat on
                if chance.random() < 0.2:
                    raise RuntimeError("failed")

    async def lane_of(turns: Turns, lane: int, who: str) -> None:
        for _ in range(8):
            task = asyncio.create_task(attempt(turns, lane, who))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.uniform(0, 0.1))
                task.cancel()
            with suppress(RuntimeError, asyncio.CancelledError):
                await task

    workers = [worker() for _ in range(3)]
    lanes = [lane_of(turns, lane, f"{n}-{lane}") for n, turns in enumerate(workers) for lane in range(4)]
    await asyncio.wait_for(asyncio.gather(*lanes), 60)
    assert place.most == fleet
    assert len(place.came) > 40
    assert len(set(place.came)) == 12
    await until(lambda: not redis_client.exists(SEATS, LINE), 2)


async def test_a_visit_gets_its_seat_at_once_where_one_is_free(worker: WorkerOf) -> None:
    """Its end makes room for a lane of the same worker without a look in between."""
    turns, release = worker(), asyncio.Event()
    release.set()
    begun_s = time.monotonic()
    for _ in range(20):
        await asyncio.gather(*(stay(turns, shop(), lane, release) for lane in range(3)))
    assert time.monotonic() - begun_s < 3


async def test_no_worker_keeps_the_seats_from_another(worker: WorkerOf) -> None:
    """Four lanes that are always there, and one of another worker: who came first is served first."""
    place, done = Shop(), asyncio.Event()

    async def lane_of(turns: Turns, lane: int, who: str) -> None:
        while not done.is_set():
            async with turns.turn(shop(), lane, never()) as turn:
                await turn.begin()
                async with place.visit(who):
                    await asyncio.sleep(0.005)

    many, one = worker(), worker()
    lanes = [asyncio.create_task(lane_of(many, lane, f"many-{lane}")) for lane in range(4)]
    lanes.append(asyncio.create_task(lane_of(one, 0, "one")))
    await until(lambda: place.came.count("one") >= 6)
    done.set()
    await asyncio.gather(*lanes)
    after_its_first = place.came[place.came.index("one") :]
    assert len(after_its_first) <= 4 * after_its_first.count("one") + 10
    assert min(Counter(place.came).values()) >= 2


async def test_a_seat_is_kept_for_the_longest_visit_and_no_longer(redis_client: redis.Redis, worker: WorkerOf) -> None:
    """On Redis' clock: 5 s for a page to come, then navigation's time and a grace for evidence."""

    def left_s() -> float:
        _seat, until_us = the_seat(redis_client)
        seconds, micros = redis_client.time()
        return until_us / 1e6 - (seconds + micros / 1e6)

    async with worker().turn(shop(), 0, never()) as turn:
        assert left_s() == pytest.approx(5, abs=0.5)
        await turn.begin()
        assert left_s() == pytest.approx(50, abs=0.5)
    assert not redis_client.exists(SEATS)


_HOLDER = """
import asyncio, sys, redis
from pagemill.pacing.fleet_pace import RedisFleetPace
from pagemill.pacing.turns import Turns
from tests.redis.test_fleet_seats import shop
async def main():
    async with Turns(RedisFleetPace(redis.Redis.from_url(sys.argv[1]))).turn(shop(), 0, asyncio.Event()) as turn:
        await turn.begin()
        print("there", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_the_seat_of_a_worker_that_was_killed_runs_out(
    redis_server: str, redis_client: redis.Redis, worker: WorkerOf
) -> None:
    """Not before its visit must have ended: nobody knows that it has died."""
    release = asyncio.Event()
    with subprocess.Popen([sys.executable, "-c", _HOLDER, redis_server], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert await asyncio.to_thread(holder.stdout.readline) == "there\n"
        holder.kill()
    waiting = asyncio.create_task(stay(worker(), shop(), 0, release))
    await until(lambda: redis_client.zcard(LINE) == 1)
    await asyncio.sleep(0.5)
    seat, until_us = the_seat(redis_client)
    assert until_us / 1e6 - time.time() == pytest.approx(49, abs=2)
    redis_client.zadd(SEATS, {seat: (time.time() + 0.3) * 1e6})
    await until(lambda: redis_client.zrange(SEATS, 0, -1) not in ([seat], []), 2)
    release.set()
    await waiting


async def test_who_died_in_the_line_holds_it_up_for_seconds_only(redis_client: redis.Redis, worker: WorkerOf) -> None:
    """It does not look any more."""
    release, going_s = asyncio.Event(), time.monotonic()
    first = asyncio.create_task(stay(worker(), shop(), 0, release))
    await until(lambda: redis_client.zcard(SEATS) == 1)
    pace = RedisFleetPace(redis_client)
    assert (await pace.ask(shop(), place=True, seat="dead:1")).is_full
    release.set()
    await first
    await asyncio.wait_for(stay(worker(), shop(), 0, release), 10)
    assert 2 < time.monotonic() - going_s < 6


async def test_a_page_that_is_long_in_coming_costs_the_seat_and_not_the_limit(
    monkeypatch: pytest.MonkeyPatch, redis_client: redis.Redis, worker: WorkerOf
) -> None:
    """Somebody else visits meanwhile; the visit that was late begins when that has ended."""
    monkeypatch.setattr(fleet_pace, "_SEAT_S", 0.1)
    place, release = Shop(), asyncio.Event()

    async def other() -> None:
        async with worker().turn(shop(), 0, never()) as turn:
            await turn.begin()
            async with place.visit("other"):
                await release.wait()

    async with worker().turn(shop(), 0, never()) as turn:
        visiting = asyncio.create_task(other())
        await until(lambda: place.there)
        begins = asyncio.create_task(turn.begin())
        await until(lambda: redis_client.zcard(LINE) == 1)
        assert not begins.done()
        release.set()
        await asyncio.wait_for(begins, 5)
        assert (place.there, redis_client.zcard(SEATS)) == ([], 1)
    await visiting


@pytest.mark.parametrize("own", [True, False])
async def test_lanes_that_wait_ask_redis_seldom(redis_client: redis.Redis, worker: WorkerOf, own: bool) -> None:
    """Sixteen platforms of four lanes: one of each asks, four times a second at most; where the worker itself has the
    seats, hardly ever."""
    release, mine = asyncio.Event(), worker()
    holder = mine if own else worker()
    platforms = [shop(name=f"shop-{number}") for number in range(16)]
    tasks = [asyncio.create_task(stay(holder, platform, 9, release)) for platform in platforms]
    await until(lambda: all(redis_client.zcard(f"pagemill:pacing:{each.platform}:seats") for each in platforms))
    tasks += [asyncio.create_task(stay(mine, platform, lane, release)) for platform in platforms for lane in range(3)]
    await until(lambda: all(redis_client.zcard(f"pagemill:pacing:{each.platform}:line") for each in platforms))
    redis_client.config_resetstat()
    await asyncio.sleep(2)
    asked = redis_client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    assert asked <= (16 * 2 if own else 16 * 9)
    assert own or asked >= 16 * 4
    release.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def test_a_stop_ends_the_wait_for_a_seat_at_once(redis_client: redis.Redis, worker: WorkerOf) -> None:
    """For who is at the door, and for those behind; nobody is left in the line, and the next one gets the seat."""
    release, stop, turns = asyncio.Event(), asyncio.Event(), worker()
    holder = asyncio.create_task(stay(worker(), shop(), 0, release))
    await until(lambda: redis_client.zcard(SEATS) == 1)
    waiting = [asyncio.create_task(turns.turn(shop(), lane, stop).__aenter__()) for lane in range(3)]
    await until(lambda: redis_client.zcard(LINE) == 1)
    stop.set()
    begun_s = time.monotonic()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - begun_s < 0.2
    assert [type(end) for end in ends] == [TurnDenied] * 3
    await until(lambda: not redis_client.exists(LINE), 2)
    release.set()
    await holder
    await asyncio.wait_for(stay(turns, shop(), 0, release), 1)


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.003, 0.01])
async def test_a_cancelled_lane_leaves_no_seat_behind(
    redis_client: redis.Redis, worker: WorkerOf, after_s: float
) -> None:
    """Also when Redis gives it one after nobody waits for the answer."""
    for _ in range(10):
        visiting = asyncio.create_task(stay(worker(), shop(), 0, asyncio.Event()))
        await asyncio.sleep(after_s)
        await ended(visiting)
        await until(lambda: not redis_client.exists(SEATS, LINE), 2)


async def test_a_late_answer_about_a_seat_is_not_relied_on(redis_client: redis.Redis) -> None:
    """What it says may be over: Redis, or this process, may have stood still."""
    sound = RedisFleetPace(redis_client)
    await sound.ask(shop(), place=True, seat="w:1")
    assert await sound.keep(shop(), "w:1")
    times_s = iter([0.0, 9.0])
    slow = RedisFleetPace(redis_client, now_s=lambda: next(times_s, 10.0))
    redis_client.config_resetstat()
    assert await slow.keep(shop(), "w:1")
    assert redis_client.info("commandstats")["cmdstat_evalsha"]["calls"] == 2


async def test_a_platform_without_seats_knows_nothing_of_them(redis_client: redis.Redis, worker: WorkerOf) -> None:
    """No key, and no command more than before: one for many visits."""
    turns, release = worker(), asyncio.Event()
    release.set()
    await stay(turns, shop(None), 0, release)
    redis_client.config_resetstat()
    await asyncio.gather(*(stay(turns, shop(None), lane, release) for lane in range(20)))
    stats = redis_client.info("commandstats")
    assert stats.get("cmdstat_evalsha", {"calls": 0})["calls"] <= 1
    assert list(redis_client.scan_iter()) == []


async def test_seats_and_places_hold_together(worker: WorkerOf, redis_client: redis.Redis) -> None:
    """Twenty a second at most, and two at one time; a place is not taken before there is a seat for it."""
    platform = shop(2, rate_limit={"wait_time_ms": 0, "max_per_minute": 1200}, concurrency={"fleet": 2})
    place, came_s = Shop(), list[float]()

    async def lane_of(turns: Turns, lane: int) -> None:
        for number in range(4):
            async with turns.turn(platform, lane, never()) as turn:
                await turn.begin()
                came_s.append(time.monotonic())
                async with place.visit(f"{lane}"):
                    await asyncio.sleep(0.3 if number == 0 else 0.01)

    one, other = worker(), worker()
    await asyncio.wait_for(asyncio.gather(*(lane_of(turns, lane) for turns in (one, other) for lane in range(3))), 30)
    assert (place.most, len(came_s)) == (2, 24)
    assert max(came_s) - min(came_s) > 23 * 0.05 - 0.02
    await until(lambda: not redis_client.exists(SEATS, LINE), 2)


async def test_a_pause_takes_the_seat_of_nobody_and_gives_none(redis_client: redis.Redis, worker: WorkerOf) -> None:
    """Who waits is told of it, though all seats are taken."""
    release = asyncio.Event()
    holder = asyncio.create_task(stay(worker(), shop(), 0, release))
    await until(lambda: redis_client.zcard(SEATS) == 1)
    waiting = asyncio.create_task(stay(worker(), shop(), 0, release))
    await until(lambda: redis_client.zcard(LINE) == 1)
    await RedisFleetPace(redis_client).report(shop(), VisitAnswer(Welcome.BLOCKED, 429, "600"), probe=False)
    with pytest.raises(TurnDenied, match="left alone"):
        await asyncio.wait_for(waiting, 5)
    assert (redis_client.zcard(SEATS), redis_client.exists(LINE)) == (1, 0)
    release.set()
    await holder


async def test_the_visit_that_tries_the_breaker_is_not_held_up_by_those_who_wait_for_it(
    redis_client: redis.Redis, worker: WorkerOf
) -> None:
    """It may take a second attempt, at a turn of its own."""
    platform, turns, tried = shop(breaker={"blocks": 1, "open_s": 60}), worker(), asyncio.Event()
    await RedisFleetPace(redis_client).report(platform, BLOCKED, probe=False)
    redis_client.hset("pagemill:pacing:shop", "open_us", 1)

    async def prober() -> None:
        for answer in (None, VisitAnswer(Welcome.GOOD, 200)):
            async with turns.turn(platform, 0, never()) as turn:
                assert turn.is_probe
                tried.set()
                await asyncio.sleep(0.3)
                await turn.begin()
                turn.answer = answer

    probing = asyncio.create_task(prober())
    await tried.wait()
    others = [asyncio.create_task(turns.turn(platform, lane, never()).__aenter__()) for lane in (1, 2)]
    await asyncio.wait_for(probing, 5)
    (first, *_), _ = await asyncio.wait(others, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    turn: Turn = first.result()
    assert not turn.is_probe
    await turn.__aexit__(None, None, None)
    await asyncio.wait_for(asyncio.gather(*others), 5)


Scene = Callable[[redis.Redis, Callable[[], Awaitable[None]]], Awaitable[None]]


async def with_a_redis_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """Plays a scene; it is given a client, and what starts the server again that the scene kills."""
    monkeypatch.setattr(fleet_pace, "_RETRY_S", 0.05)
    again = EmbeddedServer(tmp_path)
    try:
        with open_redis("", tmp_path, patience_s=0.1) as client:
            await scene(client, lambda: asyncio.to_thread(again.open))
    finally:
        again.close()


def kill(client: redis.Redis) -> None:
    os.kill(client.info("server")["process_id"], signal.SIGKILL)


async def test_a_redis_that_is_killed_gives_no_seat_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is away nobody gets one; when it is back, it knows who has one; what was given up meanwhile is free."""
    place, release = Shop(), asyncio.Event()

    async def lane_of(turns: Turns, lane: int) -> None:
        async with turns.turn(shop(), lane, never()) as turn:
            await turn.begin()
            async with place.visit(f"{lane}"):
                await release.wait()

    async def scene(client: redis.Redis, start_again: Callable[[], Awaitable[None]]) -> None:
        one, other = Turns(RedisFleetPace(client)), Turns(RedisFleetPace(client))
        lanes = [asyncio.create_task(lane_of(one, 0))]
        await until(lambda: place.there)
        kill(client)
        with capture_logs() as lines:
            lanes += [asyncio.create_task(lane_of(turns, lane)) for turns in (one, other) for lane in (1, 2)]
            await until(lambda: len([line for line in lines if line["event"] == events.PACING_WAITS]) > 4)
        assert len(place.came) == 1
        await start_again()
        await until(lambda: client.zcard(LINE) == 2)
        assert len(place.came) == 1
        release.set()
        await asyncio.wait_for(asyncio.gather(*lanes), 30)
        assert (place.most, len(place.came)) == (1, 5)
        await until(lambda: not client.exists(SEATS, LINE), 5)

    await with_a_redis_that_is_killed(tmp_path, monkeypatch, scene)


async def test_a_seat_that_is_given_up_while_redis_is_away_is_free_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not only when it has run out; the lane itself does not wait for that."""
    release = asyncio.Event()

    async def scene(client: redis.Redis, start_again: Callable[[], Awaitable[None]]) -> None:
        turns = Turns(RedisFleetPace(client))
        visiting = asyncio.create_task(stay(turns, shop(), 0, release))
        await until(lambda: client.zcard(SEATS) == 1)
        kill(client)
        release.set()
        await asyncio.wait_for(visiting, 3)
        await start_again()
        await asyncio.wait_for(stay(turns, shop(), 0, release), 10)
        await until(lambda: not client.exists(SEATS, LINE), 5)

    await with_a_redis_that_is_killed(tmp_path, monkeypatch, scene)


async def test_a_lane_can_be_stopped_while_redis_is_away() -> None:
    """A drain does not wait for Redis."""
    stop = asyncio.Event()
    with redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        turns = Turns(RedisFleetPace(nobody))
        waiting = [asyncio.create_task(turns.turn(shop(), lane, stop).__aenter__()) for lane in range(2)]
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in waiting)
        stop.set()
        ends = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
        assert [type(end) for end in ends] == [TurnDenied] * 2
        await ended(*(asyncio.all_tasks() - {asyncio.current_task()}))  # those that go on trying to give back
