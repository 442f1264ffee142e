"""A control API with one platform, and what tests of runs over HTTP ask it for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from pagemill.config.platform import Platform
from pagemill.config.settings import ArtifactSettings, Config, Environment, Settings
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.model import Product, Verdict
from pagemill.results.store import ResultStore
from tests.redis.control_room.api_world import SECRET, Reply, World, api_running
from tests.unit.results.result_values import make_result

CSV = {"Content_Type": "text/csv"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One platform, whose products are in a table of a database of its own."""
    shop = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["www.shop.com"],
            "catalog": {"table": "goods"},
            "extract": {"fields": {"name": "h1", "price": {"selector": ".price", "type": "number"}}},
        }
    )
    environment = Environment(api_secret=SECRET, catalog_url=f"sqlite:///{tmp_path}/goods.db")
    settings = Settings(artifacts=ArtifactSettings(folder=tmp_path / "artifacts"))
    return Config(settings=settings, platforms={"shop": shop}, environment=environment)


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path, config: Config) -> Iterator[World]:
    """An API that asks for tokens; no worker."""
    with api_running(redis_server, tmp_path, config=config) as world:
        yield world


@pytest.fixture
def store(world: World, tmp_path: Path) -> Iterator[ResultStore]:
    """The API's own results."""
    with ResultStore(f"sqlite:///{tmp_path}/results.db") as opened:
        yield opened


def url(number: int) -> str:
    return f"https://www.shop.com/{number}"


def product(number: int, **expected: Any) -> dict[str, Any]:
    return {"id": f"P{number:05}", "url": url(number), **expected}


def queued(client: redis.Redis) -> list[Product]:
    """The products that wait."""
    jobs = open_queue(client, "shop").get_jobs()
    return [each for job in jobs for each in from_arguments(*job.args).products]


def begin(world: World, count: int = 3, **more: Any) -> str:
    """A run of so many products; its id."""
    body = {"platform": "shop", "products": [product(number) for number in range(count)], **more}
    reply = world.admin.post("/api/v1/runs", body)
    assert reply.status == 201, reply.text
    return str(reply.data["run"]["run"])


def finish(store: ResultStore, run: str, numbers: range, verdict: Verdict = Verdict.OK) -> None:
    """Results, as workers write them."""
    store.write([make_result(f"P{number:05}", run=run, verdict=verdict) for number in numbers])


def message(reply: Reply, status: int, code: str) -> str:
    """What an error says, which has that status and that word."""
    assert (reply.status, reply.json["error"]["code"]) == (status, code), reply.text
    return str(reply.json["error"]["message"])
