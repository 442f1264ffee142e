"""The pace that a whole fleet shares, in a real Redis: places, pauses, the breaker, slowing down, and outages."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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
from pagemill.pacing.turns import Turns
from pagemill.pacing.visit_answer import VisitAnswer, Welcome
from pagemill.telemetry import events

pytestmark = pytest.mark.redis

GOOD, TROUBLE = VisitAnswer(Welcome.GOOD, 200), VisitAnswer(Welcome.TROUBLE)
BLOCKED = VisitAnswer(Welcome.BLOCKED, 403)


def shop(per_minute: int | None = None, name: str = "shop", **workflow: Any) -> Platform:
    """A platform that the fleet may visit so often."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"rate_limit": {"max_per_minute": per_minute, "wait_time_ms": 0}, **workflow},
            "extract": {"fields": {"name": "h1"}},
        }
    )


def per_minute_of(share_s: float) -> int:
    """The limit at which places are about so far apart."""
    return round(61.25 / share_s)


async def test_places_are_a_minutes_share_apart(redis_client: redis.Redis) -> None:
    """The first is free at once, each next one is a share later; other platforms have places of their own."""
    pace = RedisFleetPace(redis_client)
    platform = shop(per_minute_of(0.5))
    begun_s = time.monotonic()
    places = [(await pace.ask(platform, place=True)).wait_s + time.monotonic() - begun_s for _ in range(4)]
    assert places == pytest.approx([0, 0.5, 1.0, 1.5], abs=0.2)
    assert (await pace.ask(shop(60, "other"), place=True)).wait_s == 0


async def test_places_far_ahead_are_not_taken(redis_client: redis.Redis) -> None:
    """Whoever comes back later may be told something else; what nobody takes is there for others."""
    pace = RedisFleetPace(redis_client)
    platform = shop(per_minute_of(1.5))
    words = [(await pace.ask(platform, place=True)).word for _ in range(4)]
    assert words == ["go", "go", "later", "later"]
    assert 0.5 < (await pace.ask(platform, place=True)).wait_s < 3


async def test_no_two_visits_are_closer_than_the_share(redis_client: redis.Redis) -> None:
    """Not even when a place was left unused for a while: there is no burst."""
    pace = RedisFleetPace(redis_client)
    platform = shop(600)
    await pace.ask(platform, place=True)
    await asyncio.sleep(0.35)
    assert (await pace.ask(platform, place=True)).wait_s == 0
    assert (await pace.ask(platform, place=True)).wait_s == pytest.approx(0.1, abs=0.05)


async def test_looking_takes_no_place(redis_client: redis.Redis) -> None:
    """Nor does a platform without a limit leave anything behind."""
    pace = RedisFleetPace(redis_client)
    for _ in range(5):
        assert (await pace.ask(shop(1), place=False)).wait_s == 0
        assert (await pace.ask(shop(), place=True)).wait_s == 0
    assert list(redis_client.scan_iter()) == []


def test_workers_on_several_machines_share_one_limit(redis_server: str, redis_client: redis.Redis) -> None:
    """Eight loops on threads of their own, each with a client of its own, take forty places: none twice."""
    redis_client.ping()
    platform = shop(per_minute_of(0.1))

    def worker(_number: int) -> list[float]:
        async def take() -> list[float]:
            taken: list[float] = []
            pace = RedisFleetPace(client)
            while len(taken) < 5:
                turn = await pace.ask(platform, place=True)
                if turn.may_go:
                    taken.append(turn.wait_s + time.monotonic())
                else:
                    await asyncio.sleep(turn.wait_s)
            return taken

        with redis.Redis.from_url(redis_server) as client:
            return asyncio.run(take())

    with ThreadPoolExecutor(8) as threads:
        taken = sorted(place for places in threads.map(worker, range(8)) for place in places)
    gaps = [later - earlier for earlier, later in itertools.pairwise(taken)]
    assert len(taken) == 40
    assert min(gaps) > 0.05
    assert taken[-1] - taken[0] > 3.8


async def test_lanes_keep_the_fleets_pace(redis_server: str, redis_client: redis.Redis) -> None:
    """Two workers' turns together come no faster than the limit, on the real clock."""
    redis_client.ping()
    came_s: list[float] = []

    async def lane(turns: Turns, number: int) -> None:
        for _ in range(3):
            async with turns.turn(shop(1200), number, asyncio.Event()) as turn:
                await turn.begin()
                came_s.append(time.monotonic())
                turn.answer = GOOD

    with redis.Redis.from_url(redis_server) as one, redis.Redis.from_url(redis_server) as other:
        workers = [Turns(RedisFleetPace(client)) for client in (one, other)]
        await asyncio.gather(*(lane(turns, number) for turns in workers for number in range(2)))
    assert len(came_s) == 12
    assert max(came_s) - min(came_s) > 11 * 0.05 - 0.02


async def test_a_shop_that_asks_for_quiet_is_not_visited(redis_client: redis.Redis) -> None:
    """By nobody, for as long as it asks; a shorter request afterwards does not shorten that."""
    pace, other = RedisFleetPace(redis_client), RedisFleetPace(redis_client)
    with capture_logs() as lines:
        await pace.report(shop(), VisitAnswer(Welcome.BLOCKED, 429, "10"), probe=False)
        await other.report(shop(), VisitAnswer(Welcome.BLOCKED, 503, "1"), probe=False)
    for platform in (shop(), shop(60)):
        turn = await other.ask(platform, place=True)
        assert (turn.word, turn.may_go) == ("paused", False)
        assert turn.wait_s == pytest.approx(10, abs=0.5)
    (line,) = lines
    assert (line["event"], line["platform"], line["reason"]) == (events.PLATFORM_PAUSED, "shop", "HTTP 429")
    assert line["seconds"] == pytest.approx(10, abs=0.5)


async def test_after_a_pause_places_begin_anew(redis_client: redis.Redis) -> None:
    """All who waited for its end do not come at once."""
    pace, platform = RedisFleetPace(redis_client), shop(per_minute_of(0.5))
    await pace.report(platform, VisitAnswer(Welcome.BLOCKED, 429, "1"), probe=False)
    await asyncio.sleep(1.05)
    waits_s = [(await pace.ask(platform, place=True)).wait_s for _ in range(3)]
    assert waits_s == pytest.approx([0, 0.45, 0.95], abs=0.15)


BREAKER: dict[str, Any] = {"breaker": {"blocks": 3, "open_s": 1, "open_max_s": 3}, "slow_down": {"enabled": False}}


async def test_blocks_in_a_row_open_the_breaker(redis_client: redis.Redis) -> None:
    """A good answer in between begins the count anew."""
    pace, platform = RedisFleetPace(redis_client), shop(**BREAKER)
    for answer in (BLOCKED, BLOCKED, GOOD, BLOCKED, BLOCKED):
        await pace.report(platform, answer, probe=False)
        assert (await pace.ask(platform, place=True)).may_go
    with capture_logs() as lines:
        await pace.report(platform, BLOCKED, probe=False)
    assert (await pace.ask(platform, place=True)).word == "open"
    assert [(line["event"], line["seconds"]) for line in lines] == [(events.BREAKER_OPENED, 1.0)]


async def test_a_session_that_is_challenged_opens_no_breaker_but_may_ask_for_quiet(redis_client: redis.Redis) -> None:
    """Nor does it break a row of blocks that count."""
    pace = RedisFleetPace(redis_client)
    platform = shop(breaker={"blocks": 2, "open_s": 60})
    challenged = VisitAnswer(Welcome.CHALLENGED, 429, "1")
    await pace.report(platform, BLOCKED, probe=False)
    for _ in range(4):
        await pace.report(platform, challenged, probe=False)
    assert (await pace.ask(platform, place=False)).word == "paused"
    await pace.report(platform, BLOCKED, probe=False)
    await asyncio.sleep(1.1)
    assert (await pace.ask(platform, place=False)).word == "open"


async def test_visits_under_way_when_the_shop_asks_for_quiet_are_one_block(redis_client: redis.Redis) -> None:
    """All lanes are answered with 429 at once; only if it goes on after the pause does the breaker open."""
    pace = RedisFleetPace(redis_client)
    platform = shop(breaker={"blocks": 2, "open_s": 60})
    too_many = VisitAnswer(Welcome.BLOCKED, 429, "1")
    for _ in range(4):
        await pace.report(platform, too_many, probe=False)
    await asyncio.sleep(1.1)
    assert (await pace.ask(platform, place=False)).word == "go"
    await pace.report(platform, too_many, probe=False)
    await asyncio.sleep(1.1)
    assert (await pace.ask(platform, place=False)).word == "open"


async def test_one_visit_tries_whether_the_breaker_may_close(redis_client: redis.Redis) -> None:
    """Nobody else may visit meanwhile; answers of visits from before change nothing; a good one opens the door."""
    pace, platform = RedisFleetPace(redis_client), shop(**BREAKER)
    for _ in range(3):
        await pace.report(platform, BLOCKED, probe=False)
    await asyncio.sleep(1.05)
    turns = await asyncio.gather(*(pace.ask(platform, place=True) for _ in range(8)))
    assert sorted(turn.word for turn in turns) == ["later"] * 7 + ["probe"]
    await pace.report(platform, GOOD, probe=False)
    assert (await pace.ask(platform, place=True)).word == "later"
    assert (await pace.ask(platform, place=True, probing=True)).word == "go"
    with capture_logs() as lines:
        await pace.report(platform, GOOD, probe=True)
    assert [line["event"] for line in lines] == [events.BREAKER_CLOSED]
    assert (await pace.ask(platform, place=True)).word == "go"


@pytest.mark.parametrize(("answer", "seconds"), [(BLOCKED, [2, 3, 3]), (TROUBLE, [1, 1, 1])])
async def test_a_probe_that_does_not_get_through_opens_it_again(
    redis_client: redis.Redis, answer: VisitAnswer, seconds: list[float]
) -> None:
    """Each block for twice as long, up to the limit; trouble does not tell more than before."""
    pace, platform = RedisFleetPace(redis_client), shop(**BREAKER)
    for _ in range(3):
        await pace.report(platform, BLOCKED, probe=False)
    opened = []
    for _ in seconds:
        redis_client.hset("pagemill:pacing:shop", "open_us", 1)
        assert (await pace.ask(platform, place=True)).word == "probe"
        await pace.report(platform, answer, probe=True)
        opened.append((await pace.ask(platform, place=True)).wait_s)
    assert opened == pytest.approx(seconds, abs=0.2)


async def test_a_probe_that_was_lost_is_replaced(redis_client: redis.Redis) -> None:
    """Its worker may have died: the place is held for the visit's longest time only."""
    pace, platform = RedisFleetPace(redis_client), shop(**BREAKER)
    for _ in range(3):
        await pace.report(platform, BLOCKED, probe=False)
    redis_client.hset("pagemill:pacing:shop", "open_us", 1)
    assert (await pace.ask(platform, place=True)).word == "probe"
    until_us = int(redis_client.hget("pagemill:pacing:shop", "probe_us") or 0)
    assert until_us / 1e6 - time.time() == pytest.approx(60, abs=2)
    redis_client.hset("pagemill:pacing:shop", "probe_us", until_us - 61_000_000)
    assert (await pace.ask(platform, place=True)).word == "probe"


async def test_trouble_slows_the_fleet_down_and_good_answers_speed_it_up_slowly(redis_client: redis.Redis) -> None:
    """Waits are stretched step by step up to the limit, and shortened again far more slowly, down to nothing."""
    pace, platform = RedisFleetPace(redis_client), shop(slow_down={"max_factor": 3})
    factors = []
    for _ in range(30):
        await pace.report(platform, TROUBLE, probe=False)
        factors.append((await pace.ask(platform, place=True)).slow)
    assert factors == sorted(factors)
    assert (factors[0], factors[-1]) == (1.0, 3.0)
    answers = 0
    while not (turn := await pace.ask(platform, place=True)).clean:
        await pace.report(platform, GOOD, probe=False)
        answers += 1
        assert answers < 1000
    assert turn.slow == 1.0
    assert answers > 100


async def test_places_of_a_slowed_platform_are_farther_apart(redis_client: redis.Redis) -> None:
    """The shared limit is stretched as the lanes' own waits are."""
    pace, platform = RedisFleetPace(redis_client), shop(per_minute_of(0.5))
    redis_client.hset("pagemill:pacing:shop", "slow", "1")
    assert (await pace.ask(platform, place=True)).wait_s == 0
    assert (await pace.ask(platform, place=True)).wait_s == pytest.approx(1, abs=0.1)


async def test_what_is_switched_off_does_nothing(redis_client: redis.Redis) -> None:
    """Breaker and slowing down can be; what the shop itself asks for cannot."""
    pace = RedisFleetPace(redis_client)
    platform = shop(breaker={"enabled": False}, slow_down={"enabled": False})
    for _ in range(50):
        await pace.report(platform, BLOCKED, probe=False)
    turn = await pace.ask(platform, place=True)
    assert (turn.may_go, turn.slow) == (True, 1.0)


async def test_a_platform_that_is_no_longer_visited_is_forgotten(redis_client: redis.Redis) -> None:
    """After a day."""
    pace = RedisFleetPace(redis_client)
    await pace.ask(shop(60), place=True)
    await pace.report(shop(name="other"), BLOCKED, probe=False)
    for name in ("shop", "other"):
        assert 0 < redis_client.ttl(f"pagemill:pacing:{name}") <= 24 * 3600


async def test_while_redis_is_away_limited_lanes_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage is logged and waited out, and no place is given out before Redis can tell which. Others go on."""
    monkeypatch.setattr(fleet_pace, "_RETRY_S", 0.05)
    with open_redis("", tmp_path, patience_s=0.1) as client:
        pace = RedisFleetPace(client)
        assert (await pace.ask(shop(60), place=True)).wait_s == 0
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        with capture_logs() as lines:
            waiting = asyncio.create_task(pace.ask(shop(60), place=True))
            deadline_s = time.monotonic() + 20
            while len(lines) < 3:
                assert time.monotonic() < deadline_s
                await asyncio.sleep(0.02)
            assert not waiting.done()
        assert {line["event"] for line in lines} == {events.PACING_WAITS}
        assert {line["platform"] for line in lines} == {"shop"}
        assert (await pace.ask(shop(), place=True)).may_go
        begun_s = time.monotonic()
        assert (await pace.ask(shop(), place=True)).may_go
        assert time.monotonic() - begun_s < 0.05  # not asked again so soon
        await pace.report(shop(), BLOCKED, probe=False)
        again = EmbeddedServer(tmp_path)
        await asyncio.to_thread(again.open)
        assert 0 <= (await asyncio.wait_for(waiting, 20)).wait_s <= 1.1
        again.close()


async def test_a_lane_can_be_stopped_while_redis_is_away() -> None:
    """A drain does not wait for Redis."""
    stop = asyncio.Event()
    with redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        waiting = asyncio.create_task(Turns(RedisFleetPace(nobody)).turn(shop(60), 0, stop).__aenter__())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        stop.set()
        with pytest.raises(TurnDenied):
            await asyncio.wait_for(waiting, 2)
