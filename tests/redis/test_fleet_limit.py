"""Reservations that a whole fleet shares, in a real Redis: their distance, and what lanes do while Redis is away."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog.testing import capture_logs

from pagemill.broker.connection import open_redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.config.platform import Platform
from pagemill.pacing import fleet_limit
from pagemill.pacing.fleet_limit import RedisFleetLimit
from pagemill.pacing.turns import Turns
from pagemill.telemetry import events

pytestmark = pytest.mark.redis


def shop(per_minute: int, name: str = "shop") -> Platform:
    """A platform that the fleet may visit so often."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"rate_limit": {"max_per_minute": per_minute, "wait_time_ms": 0}},
            "extract": {"fields": {"name": "h1"}},
        }
    )


async def test_places_are_a_minutes_share_apart(redis_client: redis.Redis) -> None:
    """The first is free at once, each next one is a share later; time that passes meanwhile is counted."""
    limit = RedisFleetLimit(redis_client)
    begun_s = time.monotonic()
    places = [await limit.reserve(shop(60)) + time.monotonic() - begun_s for _ in range(5)]
    assert places == pytest.approx([0, 1, 2, 3, 4], abs=0.2)
    assert await limit.reserve(shop(60, "other")) == 0


async def test_no_two_visits_are_closer_than_the_share(redis_client: redis.Redis) -> None:
    """Not even when a place was left unused for a while: there is no burst."""
    limit = RedisFleetLimit(redis_client)
    per_minute = 600  # one every 100 ms
    await limit.reserve(shop(per_minute))
    await asyncio.sleep(0.35)
    assert await limit.reserve(shop(per_minute)) == 0
    assert await limit.reserve(shop(per_minute)) == pytest.approx(0.1, abs=0.05)


def test_workers_on_several_machines_share_one_limit(redis_server: str, redis_client: redis.Redis) -> None:
    """Eight loops on threads of their own, each with a client of its own, take forty places: none twice."""
    redis_client.ping()

    def worker(_number: int) -> list[float]:
        async def take() -> list[float]:
            limit = RedisFleetLimit(client)
            return [await limit.reserve(shop(60)) + time.monotonic() for _ in range(5)]

        with redis.Redis.from_url(redis_server) as client:
            return asyncio.run(take())

    with ThreadPoolExecutor(8) as threads:
        taken = sorted(place for places in threads.map(worker, range(8)) for place in places)
    gaps = [later - earlier for earlier, later in itertools.pairwise(taken)]
    assert len(taken) == 40
    assert gaps == pytest.approx([1.0] * 39, abs=0.3)


async def test_lanes_keep_the_fleets_pace(redis_server: str, redis_client: redis.Redis) -> None:
    """Two workers' turns together come no faster than the limit, on the real clock."""
    redis_client.ping()
    came_s: list[float] = []

    async def lane(turns: Turns, number: int) -> None:
        for _ in range(3):
            assert await turns.wait(shop(1200), number, asyncio.Event())
            came_s.append(time.monotonic())
            turns.visited(shop(1200), number)

    with redis.Redis.from_url(redis_server) as one, redis.Redis.from_url(redis_server) as other:
        workers = [Turns(RedisFleetLimit(client)) for client in (one, other)]
        await asyncio.gather(*(lane(turns, number) for turns in workers for number in range(2)))
    assert len(came_s) == 12
    assert max(came_s) - min(came_s) > 11 * 0.05 - 0.02


async def test_a_reservation_is_kept_until_the_next_place_has_come(redis_client: redis.Redis) -> None:
    """However many lanes wait; afterwards a platform that is no longer visited leaves nothing behind."""
    limit = RedisFleetLimit(redis_client)
    for _ in range(70):
        away_s = await limit.reserve(shop(1))
    assert away_s == pytest.approx(69 * 60, abs=1)
    assert redis_client.pttl("pagemill:pace:shop") == pytest.approx(70 * 60 * 1000, abs=1000)

    await limit.reserve(shop(600, "quick"))
    await asyncio.sleep(0.15)
    assert list(redis_client.scan_iter()) == [b"pagemill:pace:shop"]


async def test_while_redis_is_away_lanes_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage is logged and waited out, and no place is given out before Redis can tell which."""
    monkeypatch.setattr(fleet_limit, "_RETRY_S", 0.05)
    with open_redis("", tmp_path, patience_s=0.1) as client:
        limit = RedisFleetLimit(client)
        assert await limit.reserve(shop(60)) == 0
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        with capture_logs() as lines:
            waiting = asyncio.create_task(limit.reserve(shop(60)))
            deadline_s = time.monotonic() + 20
            while len(lines) < 3:
                assert time.monotonic() < deadline_s
                await asyncio.sleep(0.02)
            assert not waiting.done()
        assert {line["event"] for line in lines} == {events.PACING_WAITS}
        assert {line["platform"] for line in lines} == {"shop"}
        again = EmbeddedServer(tmp_path)
        await asyncio.to_thread(again.open)
        assert 0 <= await asyncio.wait_for(waiting, 20) <= 1.1
        again.close()


async def test_a_lane_can_be_stopped_while_redis_is_away() -> None:
    """A drain does not wait for Redis."""
    stop = asyncio.Event()
    with redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        waiting = asyncio.create_task(Turns(RedisFleetLimit(nobody)).wait(shop(60), 0, stop))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        stop.set()
        assert await asyncio.wait_for(waiting, 2) is False
