"""What a run that is begun over HTTP can be told, as the command can: priority, form of a file, several platforms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine, text

from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, Settings
from pagemill.control_room.api import upload
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.model import Batch, Priority, Product, Verdict
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.store import ResultStore
from tests.redis.control_room.api_world import SECRET, World
from tests.redis.control_room.runs_world import CSV, begin, finish, message, product, store, url, world

__all__ = ["store", "world"]

pytestmark = pytest.mark.redis

CATALOGUE = f"ID;Url;Name;PRICE\nP1;{url(1)};컵;1.234\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two platforms, whose products may be in one table."""
    platforms = {
        name: Platform.model_validate(
            {
                "platform": name,
                "hosts": [f"www.{name}.com"],
                "extract": {"fields": {"name": "h1", "price": {"selector": ".price", "type": "number"}}},
            }
        )
        for name in ("shop", "mall")
    }
    environment = Environment(api_secret=SECRET, catalog_url=f"sqlite:///{tmp_path}/goods.db")
    return Config(settings=Settings(), platforms=platforms, environment=environment)


def mall(number: int) -> dict[str, Any]:
    return {"id": f"M{number:05}", "url": f"https://www.mall.com/{number}"}


def waiting(client: redis.Redis, platform: str = "shop", priority: Priority = Priority.NORMAL) -> list[str]:
    """Ids of the products that wait there."""
    return [each.id for each in products(client, platform, priority)]


def products(client: redis.Redis, platform: str, priority: Priority = Priority.NORMAL) -> list[Product]:
    jobs = open_queue(client, platform, priority).get_jobs()
    return [each for job in jobs for each in from_arguments(*job.args).products]


def test_a_run_has_the_priority_that_is_asked_for(world: World, store: ResultStore, redis_client: redis.Redis) -> None:
    """As a body, as an upload, and again; the run tells it, and one that says nothing is normal."""
    rows = f"id,url\nA,{url(1)}\n".encode()
    high = begin(world, 1, priority="high")
    low = world.admin.post("/api/v1/runs?platform=shop&priority=low", rows, **CSV)
    assert (low.status, low.data["run"]["priority"]) == (201, "low"), low.text
    assert (waiting(redis_client), waiting(redis_client, priority=Priority.HIGH)) == ([], ["P00000"])
    assert waiting(redis_client, priority=Priority.LOW) == ["A"]
    finish(store, high, range(1), Verdict.FAILED)
    again = world.admin.post(f"/api/v1/runs/{high}/again", {"priority": "low"})
    assert (again.status, again.data["run"]["priority"]) == (201, "low"), again.text
    assert waiting(redis_client, priority=Priority.LOW) == ["A", "P00000"]
    assert world.admin.post(f"/api/v1/runs/{high}/again").data["run"]["priority"] == "normal"
    assert waiting(redis_client) == ["P00000"]
    listed = world.planner.get("/api/v1/runs").data["runs"]
    assert [run["priority"] for run in listed] == ["normal", "low", "low", "high"]


@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "UTF-8"])
def test_an_upload_may_be_of_any_form(world: World, redis_client: redis.Redis, encoding: str) -> None:
    """What the command is told of a file, the query says."""
    content = CATALOGUE.encode(encoding)
    reply = world.admin.post(f"/api/v1/runs?platform=shop&encoding={encoding}&decimal=,", content, **CSV)
    assert reply.status == 201, reply.text
    assert products(redis_client, "shop") == [Product("P1", url(1), {"name": "컵", "price": 1234})]


def test_numbers_of_a_body_may_have_a_decimal_comma(world: World, redis_client: redis.Redis) -> None:
    """Where the body says so."""
    rows = [product(1, price="1.234,50"), product(2, price="12,5")]
    body = {"platform": "shop", "products": rows, "decimal": ","}
    assert world.admin.post("/api/v1/runs", body).status == 201
    assert [each.expected["price"] for each in products(redis_client, "shop")] == [1234.5, 12.5]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("&encoding=klingon", "query.encoding: there is no encoding 'klingon': name the file's encoding"),
        ("&encoding=", "the upload is not UTF-8 text: name the file's encoding"),
        ("&encoding=ascii", "the upload is not ascii text: name the file's encoding"),
        ("&encoding=euc-kr&decimal=;", "query.decimal: Input should be '.' or ','"),
        ("&priority=urgent", "query.priority: Input should be 'high', 'normal' or 'low'"),
    ],
)
def test_a_wrong_word_of_an_upload_is_told(world: World, query: str, told: str) -> None:
    """With those that are right; nothing is begun."""
    content = f"id;url;이름\nP1;{url(1)};컵\n".encode("cp949")
    assert told in message(world.admin.post(f"/api/v1/runs?platform=shop{query}", content, **CSV), 422, "invalid")
    assert world.planner.get("/api/v1/runs").data["runs"] == []


@pytest.mark.parametrize(
    ("path", "more", "told"),
    [
        ("", {"priority": "urgent"}, "body.priority: Input should be 'high', 'normal' or 'low'"),
        ("", {"decimal": ";"}, "body.decimal: Input should be '.' or ','"),
        ("", {"encoding": "cp949"}, "body.encoding: Extra inputs are not permitted"),
        ("?encoding=cp949", {}, "query.encoding: is of an uploaded file, and JSON is UTF-8: leave it out"),
        ("?priority=high", {}, "query.priority: with JSON it stands in the body"),
    ],
)
def test_a_wrong_word_of_a_body_is_told(world: World, path: str, more: dict[str, str], told: str) -> None:
    """Likewise."""
    body = {"platform": "shop", "products": [product(1)], **more}
    assert told in message(world.admin.post(f"/api/v1/runs{path}", body), 422, "invalid")
    run = begin(world)
    assert "body.priority" in message(world.admin.post(f"/api/v1/runs/{run}/again", {"priority": 1}), 422, "invalid")


def test_the_lines_of_an_upload_are_counted_in_its_encoding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte of another letter is no line, and a line may end in another way."""
    monkeypatch.setattr(upload, "MOST_LINES", 100)
    path = "/api/v1/runs?platform=shop&encoding="
    names = "".join(f"{n},{url(n)},{'ਊ' * 5}\n" for n in range(60))  # two line ends each, as bytes
    reply = world.admin.post(f"{path}utf-16", f"id,url,name\n{names}".encode("utf-16"), **CSV)
    assert reply.status == 201, reply.text
    for encoding, end in (("utf-8", "\r"), ("utf-16", "\n"), ("cp037", "\n")):
        rows = end.join(["id,url", *(f"{n},{url(n)}" for n in range(101))]).encode(encoding)
        told = message(world.admin.post(f"{path}{encoding}", rows, **CSV), 413, "too_large")
        assert told == "the catalogue has more than 100 lines: send it in parts", encoding


def test_each_product_goes_to_the_platform_of_its_host(world: World, redis_client: redis.Redis) -> None:
    """In a body and in an upload, as one run; a host of no platform is a bad row."""
    rows = [product(1), mall(1), {"id": "X", "url": "https://elsewhere.com/"}, mall(2)]
    reply = world.admin.post("/api/v1/runs", {"platform": "auto", "products": rows})
    assert reply.status == 201, reply.text
    run = reply.data["run"]
    assert (run["platform"], run["products"], run["skipped"], run["source"]) == ("auto", 3, 1, "http")
    assert reply.data["bad_rows"] == [
        {"line": 3, "reason": "host elsewhere.com is not one of any platform's hosts: add it to those of its platform"}
    ]
    upload_rows = f"id,url\nA,{url(7)}\nB,https://www.mall.com/7\n".encode()
    reply = world.admin.post("/api/v1/runs?platform=auto&priority=high", upload_rows, **CSV)
    assert (reply.status, reply.data["run"]["run"].split("-")[2]) == (201, "auto"), reply.text
    assert (waiting(redis_client), waiting(redis_client, "mall")) == (["P00001"], ["M00001", "M00002"])
    assert waiting(redis_client, "shop", Priority.HIGH) == ["A"]
    assert waiting(redis_client, "mall", Priority.HIGH) == ["B"]
    assert len(world.planner.get("/api/v1/runs?platform=auto").data["runs"]) == 2


def test_a_table_of_several_platforms_must_be_named(world: World, tmp_path: Path, redis_client: redis.Redis) -> None:
    """As for the command."""
    engine = create_engine(f"sqlite:///{tmp_path}/goods.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mixed (id TEXT PRIMARY KEY, url TEXT)"))
        connection.execute(text(f"INSERT INTO mixed VALUES ('G1', '{url(1)}'), ('G2', 'https://www.mall.com/2')"))
    engine.dispose()
    told = message(world.admin.post("/api/v1/runs", {"platform": "auto", "catalog": "sql"}), 422, "invalid")
    assert told == "a table of several platforms' products must be named: write sql:TABLE"
    told = message(world.admin.post("/api/v1/runs", {"platform": "auto", "catalog": "sql:a b"}), 422, "invalid")
    assert told == "'a b' is not a name in a database: write it without quotes and spaces"
    told = message(world.admin.post("/api/v1/runs", {"platform": "auto", "catalog": "c.csv"}), 422, "invalid")
    assert told.startswith("body.catalog: String should match")
    reply = world.admin.post("/api/v1/runs", {"platform": "auto", "catalog": "sql:mixed"})
    assert (reply.status, reply.data["run"]["source"], reply.data["run"]["products"]) == (201, "sql:mixed", 2)
    assert (waiting(redis_client), waiting(redis_client, "mall")) == (["G1"], ["G2"])


def test_a_run_over_several_is_begun_again(world: World, store: ResultStore, redis_client: redis.Redis) -> None:
    """Each product by its own platform; one whose platform is not configured any more is told."""
    body = {"platform": "auto", "products": [product(1), mall(1)]}
    run = world.admin.post("/api/v1/runs", body).data["run"]["run"]
    assert world.admin.post(f"/api/v1/runs/{run}/cancel").data["batches_taken_off"] == 2
    reply = world.admin.post(f"/api/v1/runs/{run}/again")
    assert (reply.status, reply.data["run"]["platform"], reply.data["run"]["products"]) == (201, "auto", 2), reply.text
    assert (waiting(redis_client), waiting(redis_client, "mall")) == (["P00001"], ["M00001"])
    store.create_run("old", "auto", "test", may_exist=False, priority=Priority.NORMAL)
    batch = Batch("old", "b00001", "gone", (Product("G1", "https://www.gone.com/1"),))
    assert AskedBatches(store).note([batch], NOTHING, Reached(1, 1, "G1"))
    told = message(world.admin.post("/api/v1/runs/old/again"), 404, "unknown_platform")
    assert told == "no platform of that name is configured; known are: mall, shop"


def test_a_verdict_that_is_named_twice_counts_once(world: World, store: ResultStore) -> None:
    """A product that is queued twice in a run would leave it without an end."""
    run = begin(world, 1)
    finish(store, run, range(1), Verdict.FAILED)
    reply = world.admin.post(f"/api/v1/runs/{run}/again", {"verdicts": ["failed", "failed"]})
    assert (reply.status, reply.data["run"]["products"]) == (201, 1), reply.text


def test_a_run_over_several_that_broke_off_goes_on(world: World, redis_client: redis.Redis) -> None:
    """Redis was full in the middle, while one platform's batch was filling: no product is left out or queued twice."""
    rows = [mall(number) if number % 70 == 0 else product(number) for number in range(5000)]
    body = {"platform": "auto", "products": rows, "batch_size": 50, "priority": "low"}
    used = redis_client.info("memory")["used_memory"]
    redis_client.config_set("maxmemory", str(int((used + 60_000) / 0.9)))  # a tenth is left to workers
    reply = world.admin.post("/api/v1/runs", body, Idempotency_Key="k")
    assert "more memory" in message(reply, 503, "service_unavailable")
    (run,) = world.planner.get("/api/v1/runs").data["runs"]
    assert (run["state"], run["platform"], run["priority"]) == ("queueing", "auto", "low")
    redis_client.config_set("maxmemory", "0")
    reply = world.admin.post("/api/v1/runs", body, Idempotency_Key="k")
    assert (reply.status, reply.data["run"]["run"]) == (200, run["run"]), reply.text
    assert (reply.data["run"]["state"], reply.data["run"]["products"]) == ("at_work", 5000)
    found = [each for name in ("shop", "mall") for each in waiting(redis_client, name, Priority.LOW)]
    assert sorted(found) == sorted(str(row["id"]) for row in rows)
