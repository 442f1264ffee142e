"""Runs over HTTP: followed, ended and repeated, on a real Redis and a real database."""

from __future__ import annotations

import http.client
import json
import urllib.request
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import redis

from pagemill.model import Difference, Verdict
from pagemill.results.store import ResultStore
from tests.redis.control_room.api_world import Client, World
from tests.redis.control_room.runs_world import begin, config, finish, message, queued, store, world
from tests.unit.results.result_values import make_result

__all__ = ["config", "store", "world"]

pytestmark = pytest.mark.redis


def test_runs_are_listed_page_by_page(world: World, store: ResultStore) -> None:
    """The newest first, with how far they are."""
    runs = [begin(world) for _ in range(3)]
    finish(store, runs[1], range(2))
    first = world.planner.get("/api/v1/runs?limit=2").data
    assert [run["run"] for run in first["runs"]] == [runs[2], runs[1]]
    assert (first["runs"][1]["done"], first["runs"][1]["missing"]) == (2, 1)
    assert first["runs"][1]["verdicts"] == {"ok": 2}
    assert first["next_before"] == runs[1]
    last = world.planner.get(f"/api/v1/runs?limit=2&before={runs[1]}").data
    assert ([run["run"] for run in last["runs"]], last["next_before"]) == ([runs[0]], "")
    assert world.planner.get("/api/v1/runs?platform=other").data["runs"] == []


def test_results_come_in_pages_and_by_their_marks(world: World, store: ResultStore) -> None:
    """The same in both forms, with the keys of the export."""
    run = begin(world, 5)
    finish(store, run, range(3))
    finish(store, run, range(3, 5), Verdict.FAILED)
    path = f"/api/v1/runs/{run}/results"
    page = world.planner.get(f"{path}?limit=2").data
    assert ([each["product_id"] for each in page["results"]], page["next_after"]) == (["P00000", "P00001"], "P00001")
    page = world.planner.get(f"{path}?limit=3&after=P00001").data
    assert ([each["product_id"] for each in page["results"]], page["next_after"]) == (
        ["P00002", "P00003", "P00004"],
        "",
    )
    failed = world.planner.get(f"{path}?verdict=failed&verdict=gone").data["results"]
    assert [each["product_id"] for each in failed] == ["P00003", "P00004"]
    assert world.planner.get(f"{path}?platform=other").data["results"] == []
    lines = world.planner.get(f"{path}?format=jsonl&verdict=failed")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.text.splitlines()] == failed
    assert len(world.planner.get(f"{path}?format=jsonl&limit=4").text.splitlines()) == 4
    (one,) = world.planner.get(f"{path}?product=P00003").data["results"]
    assert (one["verdict"], one["differences"], one["facts"]["name"]) == ("failed", [], "셔츠")


def test_results_are_searched(world: World, store: ResultStore) -> None:
    """By text and by the field that differs, in both forms; page by page past what is not wanted."""
    run = begin(world, 1)
    store.write([make_result(f"P{number:05}", run=run) for number in range(10_500)])
    price = (Difference("price", 12900, 9900),)
    store.write([make_result("Q1", run=run, verdict=Verdict.CHANGED, differences=price, facts={"name": "Linen shirt"})])
    path = f"/api/v1/runs/{run}/results"
    for wanted in ("search=LINEN", "field=price"):
        first = world.planner.get(f"{path}?{wanted}").data
        assert (first["results"], first["next_after"]) == ([], "P09999")
        second = world.planner.get(f"{path}?{wanted}&after=P09999").data
        assert ([each["product_id"] for each in second["results"]], second["next_after"]) == (["Q1"], "")
        (line,) = world.planner.get(f"{path}?{wanted}&format=jsonl").text.splitlines()
        assert json.loads(line)["differences"] == [{"field": "price", "expected": 12900, "found": 9900}]
    found = world.planner.get(f"{path}?field=price&verdict=changed").data
    assert ([each["product_id"] for each in found["results"]], found["next_after"]) == (["Q1"], "")


def test_the_platforms_are_listed(world: World) -> None:
    """With what a catalogue may expect of their products."""
    assert world.planner.get("/api/v1/platforms").data == {
        "platforms": [{"platform": "shop", "fields": ["name", "price"], "written_back": []}]
    }


def test_results_are_streamed(world: World, store: ResultStore) -> None:
    """Piece by piece while the client reads: what is written meanwhile, behind the place it has reached, is there."""
    run = begin(world, 1)
    for start in range(0, 30_000, 5000):
        finish(store, run, range(start, start + 5000))
    request = urllib.request.Request(
        f"{world.url}/api/v1/runs/{run}/results?format=jsonl",
        headers={"Authorization": f"Bearer {world.planner.token}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.loads(answer.readline())["product_id"] == "P00000"
        finish(store, run, range(30_000, 30_001))
        ids = [json.loads(line)["product_id"] for line in answer]
    assert ids == [f"P{number:05}" for number in range(1, 30_001)]


def test_a_run_is_cancelled_and_begun_again_for_what_was_missing(
    world: World, store: ResultStore, redis_client: redis.Redis
) -> None:
    """By verdict, by what is missing, or both; a second cancelling finds nothing left."""
    run = begin(world, 6, batch_size=2)
    finish(store, run, range(1))
    finish(store, run, range(1, 2), Verdict.FAILED)
    done = world.admin.post(f"/api/v1/runs/{run}/cancel").data
    assert (done["batches_taken_off"], done["batches_stopped"]) == (3, 0)
    assert (done["run"]["state"], done["run"]["missing"]) == ("cancelled", 4)
    assert world.admin.post(f"/api/v1/runs/{run}/cancel").data["batches_taken_off"] == 0
    assert queued(redis_client) == []
    wanted = {
        "{}": [1, 2, 3, 4, 5],
        '{"missing": true}': [2, 3, 4, 5],
        '{"verdicts": ["ok"]}': [0],
        '{"verdicts": ["ok", "failed"], "missing": true, "limit": 3}': [0, 1, 2],
    }
    for body, numbers in wanted.items():
        reply = world.admin.post(f"/api/v1/runs/{run}/again", json.loads(body))
        assert (reply.status, reply.data["run"]["source"]) == (201, f"again {run}"), reply.text
        found = world.admin.post(f"/api/v1/runs/{reply.data['run']['run']}/cancel").data
        assert found["run"]["products"] == len(numbers), body
    reply = world.admin.post(f"/api/v1/runs/{run}/again", Idempotency_Key="again-1")
    assert (reply.status, reply.data["run"]["products"]) == (201, 5)
    assert world.admin.post(f"/api/v1/runs/{run}/again", Idempotency_Key="again-1").status == 200
    assert [each.id for each in queued(redis_client)] == [f"P{number:05}" for number in [1, 2, 3, 4, 5]]
    told = message(world.admin.post(f"/api/v1/runs/{run}/again", {"verdicts": ["gone"]}), 422, "invalid")
    assert "holds no product that can be checked" in told


def test_a_product_has_a_history(world: World, store: ResultStore) -> None:
    """Also where its id has a slash in it."""
    runs = [begin(world) for _ in range(2)]
    store.write([make_result("A/1 é", run=runs[0]), make_result("A/1 é", run=runs[1], verdict=Verdict.GONE)])
    found = world.planner.get("/api/v1/products/shop/A%2F1%20%C3%A9/history").data
    assert [(each["run"], each["verdict"]) for each in found["results"]] == [(runs[1], "gone"), (runs[0], "ok")]
    assert found["next_before"] == ""
    first = world.planner.get("/api/v1/products/shop/A%2F1%20%C3%A9/history?limit=1").data
    rest = world.planner.get(f"/api/v1/products/shop/A%2F1%20%C3%A9/history?before={first['next_before']}").data
    assert [each["run"] for each in rest["results"]] == [runs[0]]
    assert world.planner.get("/api/v1/products/shop/nobody/history").data["results"] == []


def answer_before_the_body(client: Client, path: str) -> int:
    """The status that an upload of 1 MB gets of which nothing is sent."""
    connection = http.client.HTTPConnection(urlsplit(client.url).netloc, timeout=20)
    with closing(connection):
        connection.putrequest("POST", path)
        for name, value in (("Authorization", f"Bearer {client.token}"), ("Content-Type", "text/csv")):
            connection.putheader(name, value)
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        return connection.getresponse().status


def test_who_may_only_read_changes_nothing(world: World, redis_client: redis.Redis) -> None:
    """A planner sees all of it; nobody sees anything."""
    run = begin(world)
    body = {"platform": "shop", "products": [{"id": "1", "url": "https://www.shop.com/1"}]}
    changes = {
        "/api/v1/runs": body,
        f"/api/v1/runs/{run}/cancel": None,
        f"/api/v1/runs/{run}/again": {"missing": True},
        f"/api/v1/runs/{run}/apply": None,
        f"/api/v1/runs/{run}/apply/undo": {"write": True},
        "/api/v1/try": {"platform": "shop", "url": "https://www.shop.com/1"},
    }
    for path, sent in changes.items():
        assert world.nobody.post(path, sent).status == 401, path
        assert "--role admin" in message(world.planner.post(path, sent), 403, "forbidden"), path
    assert answer_before_the_body(world.planner, "/api/v1/runs?platform=shop") == 403
    artifacts = f"/runs/{run}/artifacts?product=P00000"
    for path in (
        "/platforms",
        "/runs",
        f"/runs/{run}",
        f"/runs/{run}/results",
        artifacts,
        "/products/shop/P00000/history",
    ):
        assert world.nobody.get(f"/api/v1{path}").status == 401, path
        assert world.planner.get(f"/api/v1{path}").status == 200, path
    assert (len(queued(redis_client)), world.planner.get(f"/api/v1/runs/{run}").data["state"]) == (3, "at_work")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/runs/nobody"),
        ("GET", "/api/v1/runs/nobody/results"),
        ("GET", "/api/v1/runs/nobody/results?format=jsonl"),
        ("GET", "/api/v1/runs?before=nobody"),
        ("POST", "/api/v1/runs/nobody/cancel"),
        ("POST", "/api/v1/runs/nobody/again"),
        ("POST", "/api/v1/runs/nobody/apply"),
        ("GET", "/api/v1/products/shop/P1/history?before=nobody"),
    ],
)
def test_a_run_that_is_not_there_is_told(world: World, method: str, path: str) -> None:
    """With where those are that are there."""
    assert message(world.admin.ask(method, path), 404, "unknown_run").endswith("GET /api/v1/runs lists them")
