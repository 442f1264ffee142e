"""What `pagemill check` says of a Redis that may lose what is queued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from pagemill.checks.finding import Finding
from pagemill.checks.redis_server import NEEDED_RIGHTS, look_at_redis
from tests.redis.conftest import UrlOf

pytestmark = pytest.mark.redis


@pytest.fixture
def forgetful(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A server that keeps nothing on disk; afterwards it is as before."""
    redis_client.config_set("appendonly", "no")
    yield redis_client
    redis_client.config_set("save", "")
    redis_client.config_set("appendonly", "yes")


def advised(found: Finding) -> str:
    assert (found.fine, found.is_advice) == (True, True), found.text
    return found.text


def test_one_that_keeps_all_is_fine(redis_server: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    """And nothing is advised."""
    found = look_at_redis(redis_server, tmp_path)
    assert (found.fine, found.is_advice) == (True, False), found.text


def test_one_that_keeps_nothing_is_told(redis_server: str, forgetful: redis.Redis, tmp_path: Path) -> None:
    """With what to set."""
    told = advised(look_at_redis(redis_server, tmp_path))
    assert "keeps nothing on disk" in told
    assert "appendonly yes" in told


def test_snapshots_are_not_enough(redis_server: str, forgetful: redis.Redis, tmp_path: Path) -> None:
    """What came after the last one is lost."""
    forgetful.config_set("save", "3600 1")
    assert "snapshots only" in advised(look_at_redis(redis_server, tmp_path))


def test_what_may_not_be_asked_is_not_seen(url_of: UrlOf, forgetful: redis.Redis, tmp_path: Path) -> None:
    """A user who may not call CONFIG is told so, and not that all is well."""
    told = advised(look_at_redis(url_of("seeing"), tmp_path))
    assert "not seen (CONFIG GET)" in told
    assert "appendonly yes" in told
    assert "-@dangerous" in NEEDED_RIGHTS


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_one_that_throws_away_is_told(
    redis_server: str, redis_client: redis.Redis, policy: str, tmp_path: Path
) -> None:
    """Also one that throws away only what ends by itself: RQ gives its jobs an end."""
    redis_client.config_set("maxmemory-policy", policy)
    told = advised(look_at_redis(redis_server, tmp_path))
    assert policy in told
    assert "noeviction" in told
