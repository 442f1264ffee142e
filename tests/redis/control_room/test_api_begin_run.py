"""`POST /api/v1/runs`: runs are begun over HTTP, on a real Redis and a real database."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine, text

from pagemill.control_room.api import upload
from pagemill.model import Product
from tests.redis.control_room.api_world import Reply, World
from tests.redis.control_room.runs_world import CSV, begin, config, message, product, queued, url, world

__all__ = ["config", "world"]

pytestmark = pytest.mark.redis


def test_products_of_the_body_become_a_run(world: World, redis_client: redis.Redis) -> None:
    """With what is expected of them, in batches as asked; the answer says where it is, and what was passed over."""
    body = {
        "platform": "shop",
        "source": "back office",
        "batch_size": 2,
        "products": [product(1, price=12900, name="컵"), product(1), product(2, price="x"), product(3), product(4)],
        "limit": 2,
    }
    reply = world.admin.post("/api/v1/runs", body)
    assert reply.status == 201, reply.text
    run = reply.data["run"]
    assert reply.headers["location"] == f"/api/v1/runs/{run['run']}"
    assert reply.data["bad_rows"] == [
        {"line": 2, "reason": "id 'P00001' is in row 1 already"},
        {"line": 3, "reason": "price: 'x' is not a number: write one such as 12900 or 12.50"},
    ]
    assert reply.data["bad_rows_in_all"] == 2
    assert (run["state"], run["products"], run["skipped"], run["missing"]) == ("at_work", 2, 2, 2)
    assert (run["source"], run["done"], run["verdicts"]) == ("back office", 0, {})
    assert queued(redis_client) == [
        Product("P00001", url(1), {"price": 12900, "name": "컵"}),
        Product("P00003", url(3), {}),
    ]
    assert world.planner.get(reply.headers["location"]).data == run


def test_an_uploaded_catalogue_becomes_a_run(world: World, redis_client: redis.Redis) -> None:
    """CSV, TSV or JSON lines; a bad row is told with its line."""
    rows = f"id;url;price\nA;{url(1)};5\nB;https://elsewhere.com/;6\n\nC;{url(2)};7\n"
    reply = world.admin.post("/api/v1/runs?platform=shop&limit=9&source=weekly", rows.encode(), **CSV)
    assert reply.status == 201, reply.text
    assert [row["line"] for row in reply.data["bad_rows"]] == [3]
    assert "elsewhere.com" in reply.data["bad_rows"][0]["reason"]
    assert (reply.data["run"]["source"], reply.data["run"]["products"]) == ("weekly", 2)
    lines = "".join(json.dumps(product(number)) + "\n" for number in range(3)).encode()
    reply = world.admin.post("/api/v1/runs?platform=shop", lines, Content_Type="application/x-ndjson")
    assert (reply.status, reply.data["run"]["source"], reply.data["run"]["products"]) == (201, "http upload", 3)
    assert [each.id for each in queued(redis_client)] == ["A", "C", "P00000", "P00001", "P00002"]


def test_the_platforms_table_becomes_a_run(world: World, tmp_path: Path, redis_client: redis.Redis) -> None:
    """The one that `pagemill enqueue sql` reads."""
    engine = create_engine(f"sqlite:///{tmp_path}/goods.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE goods (id TEXT PRIMARY KEY, url TEXT, price INTEGER)"))
        connection.execute(
            text(f"INSERT INTO goods VALUES ('G1', '{url(1)}', 5), ('G2', '', 6), ('G3', '{url(3)}', 7)")
        )
    engine.dispose()
    reply = world.admin.post("/api/v1/runs", {"platform": "shop", "catalog": "sql"})
    assert (reply.status, reply.data["run"]["source"], reply.data["run"]["products"]) == (201, "sql", 2)
    assert reply.data["bad_rows"] == [{"line": 2, "reason": "no url"}]
    assert [each.id for each in queued(redis_client)] == ["G1", "G3"]


def test_a_bad_row_refuses_all_where_that_is_wanted(world: World, redis_client: redis.Redis) -> None:
    """Nothing is queued, and no run is left behind; the rows are named."""
    rows = f"id,url\nA,{url(1)}\nB,\nC,ftp://x\n".encode()
    told = message(world.admin.post("/api/v1/runs?platform=shop&strict=true", rows, **CSV), 422, "invalid")
    assert told.startswith("nothing was queued: line 3: no url; line 4: ")
    assert "leave strict out" in told
    assert (world.planner.get("/api/v1/runs").data["runs"], queued(redis_client)) == ([], [])
    good = f"id,url\nA,{url(1)}\nB,{url(2)}\n".encode()
    assert world.admin.post("/api/v1/runs?platform=shop&strict=true", good, **CSV).data["run"]["products"] == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"platform": "shop"}, "body: name either products, or catalog: sql"),
        ({"platform": "shop", "catalog": "sql", "products": [{"id": "1"}]}, "body: name either products"),
        ({"products": [{"id": "1"}]}, "body.platform: Field required"),
        ({"platform": "shop", "products": []}, "body.products: List should have at least 1 item"),
        ({"platform": "shop", "products": [{"id": "1"}], "limits": 1}, "body.limits: Extra inputs are not permitted"),
        ({"platform": "shop", "products": [{"id": "1"}], "limit": 0}, "body.limit: Input should be greater than"),
        ({"platform": "shop", "products": [{"id": "1"}], "source": "a\x1bb"}, "body.source: String should match"),
        ({"platform": "shop", "products": [{"id": "1"}, {"url": "x"}]}, "product 1: no url; product 2: no id"),
        ({"platform": "shop", "catalog": "sql"}, "goods.db does not exist: correct PAGEMILL_CATALOG_URL"),
        (b"{", "body: is not JSON: EOF while parsing"),
        (b"[" * 5000, "body: is not JSON: recursion limit exceeded"),
    ],
)
def test_a_body_that_is_no_run_is_refused(world: World, body: Any, told: str) -> None:
    """With the field, or the product by its number; no run is left behind."""
    sent = {"Content_Type": "application/json"} if isinstance(body, bytes) else {}
    assert told in message(world.admin.post("/api/v1/runs", body, **sent), 422, "invalid")
    assert world.planner.get("/api/v1/runs").data == {"runs": [], "next_before": ""}


@pytest.mark.parametrize(
    ("query", "content", "kind", "status", "told"),
    [
        ("", b"id,url\n", "text/csv", 422, "query.platform: Field required"),
        ("?platform=shop", b"", "text/csv", 422, "the upload is empty: its first line must name the columns"),
        ("?platform=shop", b"id,price\n1,2\n", "text/csv", 422, "the upload has no column url"),
        ("?platform=shop", b"id,url\nA,nowhere\n", "text/csv", 422, "correct the rows reported, or add some: line 2: "),
        ("?platform=nobody", b"id,url\n", "text/csv", 404, "no platform of that name is configured; known are: shop"),
        ("?platform=shop", b"id,url\n", "text/csv; charset=cp949", 415, "the body must be UTF-8"),
        ("?platform=shop", b"id,url\n", "application/x-www-form-urlencoded", 415, "a catalogue as text/csv, "),
        ("?platform=shop", b"{}", "application/json", 422, "query.platform: with JSON it stands in the body"),
    ],
)
def test_an_upload_that_is_no_catalogue_is_refused(
    world: World, query: str, content: bytes, kind: str, status: int, told: str
) -> None:
    """With its remedy, and without the name of the file that it was kept in."""
    reply = world.admin.post(f"/api/v1/runs{query}", content, Content_Type=kind)
    assert reply.status == status, reply.text
    assert told in reply.json["error"]["message"]
    assert "/pagemill-upload-" not in reply.text


def test_a_body_has_bounds_that_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of bytes as JSON and as an upload, and of lines."""
    large = b'{"platform": "' + b"x" * upload.JSON_MAX_BYTES + b'"}'
    told = message(world.admin.post("/api/v1/runs", large, Content_Type="application/json"), 413, "too_large")
    assert told == "the body has more than 1 MB: send less"
    length = str(upload.UPLOAD_LIMIT.max_bytes + 1)
    reply = world.admin.ask("POST", "/api/v1/runs", b"", {"Content-Type": "text/csv", "Content-Length": length})
    assert message(reply, 413, "too_large") == "the body has more than 32 MB: send less"
    monkeypatch.setattr(upload, "MOST_LINES", 100)
    rows = b"id,url\n" + b"".join(f"{n},{url(n)}\n".encode() for n in range(101))
    told = message(world.admin.post("/api/v1/runs?platform=shop", rows, **CSV), 413, "too_large")
    assert told == "the catalogue has more than 100 lines: send it in parts"
    assert world.planner.get("/api/v1/runs").data["runs"] == []


def test_a_request_that_is_sent_again_begins_no_second_run(world: World, redis_client: redis.Redis) -> None:
    """By its key, however many send it at once; with another body the key is refused."""
    body = {"platform": "shop", "products": [product(number) for number in range(500)], "batch_size": 5}
    replies: list[Reply] = []

    def send() -> None:
        replies.append(world.admin.post("/api/v1/runs", body, Idempotency_Key="night-1"))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    send()
    assert {reply.status for reply in replies} <= {200, 201, 202}
    assert len({reply.data["run"]["run"] for reply in replies}) == 1
    assert replies[-1].status == 200
    assert len(queued(redis_client)) == 500
    assert len(world.planner.get("/api/v1/runs").data["runs"]) == 1
    other = world.admin.post("/api/v1/runs", {**body, "limit": 7}, Idempotency_Key="night-1")
    assert "use a new one" in message(other, 409, "key_taken")
    assert world.admin.post("/api/v1/runs", body, Idempotency_Key="night-2").status == 201


def test_a_key_is_free_again_after_a_mistake(world: World) -> None:
    """The corrected request may keep it."""
    bad = {"platform": "shop", "products": [{"id": "1"}]}
    assert world.admin.post("/api/v1/runs", bad, Idempotency_Key="k").status == 422
    good = {"platform": "shop", "products": [product(1)]}
    assert world.admin.post("/api/v1/runs", good, Idempotency_Key="k").status == 201


def test_a_run_that_broke_off_goes_on_by_the_same_request(world: World, redis_client: redis.Redis) -> None:
    """Redis was full in the middle: each product is queued once."""
    body = {"platform": "shop", "products": [product(number) for number in range(5000)], "batch_size": 50}
    used = redis_client.info("memory")["used_memory"]
    redis_client.config_set("maxmemory", str(int((used + 60_000) / 0.9)))  # a tenth is left to workers
    reply = world.admin.post("/api/v1/runs", body, Idempotency_Key="k")
    assert "more memory" in message(reply, 503, "service_unavailable")
    (run,) = world.planner.get("/api/v1/runs").data["runs"]
    assert (run["state"], run["products"]) == ("queueing", None)
    redis_client.config_set("maxmemory", "0")
    reply = world.admin.post("/api/v1/runs", body, Idempotency_Key="k")
    assert (reply.status, reply.data["run"]["run"]) == (200, run["run"])
    assert (reply.data["run"]["state"], reply.data["run"]["products"]) == ("at_work", 5000)
    assert sorted(each.id for each in queued(redis_client)) == [f"P{number:05}" for number in range(5000)]


def test_only_some_runs_are_put_on_the_queue_at_once(world: World) -> None:
    """The others are told when to come again; nothing of theirs was read."""
    parts = world.parts
    with parts.run_requests.place(), parts.run_requests.place():
        reply = world.admin.post("/api/v1/runs", {"platform": "shop", "products": [product(1)]})
        assert "try again" in message(reply, 429, "too_many_requests")
        assert reply.headers["retry-after"] == "5"
    begin(world)
