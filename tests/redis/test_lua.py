"""The scripts that run in Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

SOURCE = Path(__file__).parents[2] / "src" / "pagemill"

pytestmark = pytest.mark.redis


def test_every_lua_file_can_be_compiled(redis_client: redis.Redis) -> None:
    """Each alone, whether it is a whole script or what others are put together with."""
    files = sorted(SOURCE.rglob("*.lua"))
    assert len(files) > 10
    for file in files:
        redis_client.script_load(file.read_text(encoding="utf-8"))
    with pytest.raises(redis.ResponseError, match="Error compiling script"):
        redis_client.script_load("local = 1")
