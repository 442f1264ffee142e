"""Runs over HTTP as a back office begins them: a real API process, a real worker, and the curl lines of the docs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, text

from pagemill.demo.catalogue import CatalogueRow, generate, write_catalogue_csv
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Difference, Verdict
from tests.e2e.test_control_room import Room, control_room, port
from tests.e2e.workplace import REPOSITORY, Workplace, assert_each_right_once, eventually
from tests.unit.results.result_values import make_result

__all__ = ["port"]

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

SHOP = "demo-hydrated"


@pytest.fixture
def room(place: Workplace, port: int) -> Iterator[Room]:
    """A running `pagemill api`."""
    with control_room(place, port) as room:
        yield room


def as_products(rows: list[CatalogueRow]) -> list[dict[str, Any]]:
    """Rows of the practice catalogue as the body has them."""
    return [{**row.product.expected, "id": row.product.id, "url": row.product.url} for row in rows]


@pytest.mark.parametrize("driver", ["playwright", "none"])
def test_a_run_is_begun_cancelled_and_begun_again(
    place: Workplace, shop: StorefrontProcess, room: Room, driver: str
) -> None:
    """In the middle of its work: what was missing is worked off by the second run, and each product has one result."""
    place.settings(browser={"driver": driver})
    rows = list(generate(SHOP, shop.base_url, 80))
    body = {"platform": SHOP, "products": as_products(rows), "batch_size": 5, "source": "back office"}
    run = room.ask("POST", "/api/v1/runs", body)["data"]["run"]["run"]
    with place.worker("--platform", SHOP):
        eventually(lambda: room.ask("GET", f"/api/v1/runs/{run}")["data"]["done"] >= 20, 60, "the first results")
        cancelled = room.ask("POST", f"/api/v1/runs/{run}/cancel")["data"]
        assert cancelled["run"]["state"] == "cancelled"
        assert cancelled["batches_taken_off"] > 0
        eventually(lambda: not place.at_work(SHOP), 30, "the end of what was at work")
        done = room.ask("GET", f"/api/v1/runs/{run}")["data"]
        assert 0 < done["done"] < len(rows)
        again = room.ask("POST", f"/api/v1/runs/{run}/again", {"missing": True})["data"]["run"]
        assert (again["products"], again["source"]) == (done["missing"], f"again {run}")
        path = f"/api/v1/runs/{again['run']}"
        eventually(lambda: room.ask("GET", path)["data"]["state"] == "complete", 120, "the second run")
    assert room.ask("GET", f"/api/v1/runs/{run}")["data"]["done"] == done["done"]
    assert_each_right_once(rows, [*place.results(run), *place.results(again["run"])])
    (result,) = room.ask("GET", f"/api/v1/products/{SHOP}/{rows[0].product.id}/history")["data"]["results"]
    assert result["product_id"] == rows[0].product.id


def test_a_product_is_tried_over_http(place: Workplace, shop: StorefrontProcess, room: Room) -> None:
    """With all that `pagemill try` tells; a host that is not the platform's is refused, and nothing stays behind."""
    row = next(iter(generate(SHOP, shop.base_url, 1)))
    told = room.ask("POST", "/api/v1/try", {"platform": SHOP, "url": row.product.url})["data"]
    assert told["verdict"] == "ok"
    assert told["facts"]["name"]
    assert {name for name, sources in told["fields"].items() if sources} == set(told["facts"])
    before = shop.hits().total
    for url in ("https://elsewhere.com/1", "http://169.254.169.254/latest", "file:///etc/passwd"):
        status, error = room.refusal("POST", "/api/v1/try", {"platform": SHOP, "url": url})
        assert (status, error["code"]) == (422, "invalid")
        assert "hosts" in error["message"] or "URL" in error["message"], error
    assert shop.hits().total == before
    assert not [line for line in place.processes() if "try" in line.split()]


def test_the_curl_lines_of_the_docs_do_what_they_say(place: Workplace, shop: StorefrontProcess, port: int) -> None:
    """With both roles: who may read only reads, and changes nothing."""
    rows = list(generate(SHOP, shop.base_url, 3))
    write_catalogue_csv(place.folder / "catalogue.csv", rows)
    (place.folder / "sheet.csv").write_bytes(f"ID;Url;name\nS1;{rows[0].product.url};컵\n".encode("cp949"))
    place.platform(SHOP, catalog={"table": "goods", "update": {"columns": {"name": "name"}}})
    place.environment_changes["PAGEMILL_CATALOG_WRITE_URL"] = f"sqlite:///{place.folder}/data/pagemill.db"
    with control_room(place, port) as room:
        engine = create_engine(f"sqlite:///{place.folder}/data/pagemill.db")
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE goods (id TEXT PRIMARY KEY, url TEXT, name TEXT)"))
            connection.execute(text("INSERT INTO goods VALUES ('G1', :url, 'A')"), {"url": rows[0].product.url})
        engine.dispose()
        body = {"platform": SHOP, "products": as_products(rows)}
        run = room.ask("POST", "/api/v1/runs", body)["data"]["run"]["run"]
        with place.store() as store:
            found = make_result("G1", run=run, verdict=Verdict.CHANGED, differences=(Difference("name", "A", "B"),))
            store.write([replace(found, platform=SHOP, url=rows[0].product.url, expected={"name": "A"})])
        planner = place.run("token", "--role", "planner").stdout.strip()
        url = rows[0].product.url
        codes = [403] * 5 + [200] * 7 + [403] * 3 + [403, 404, 403] + [403] * 3
        assert [code for _, code in curls(place.folder, room, planner, run, url)] == codes
        assert len(room.ask("GET", "/api/v1/runs")["data"]["runs"]) == 1
        codes = [201] * 5 + [200] * 7 + [200, 201, 200] + [202, 200, 409] + [200] * 3
        assert [code for _, code in curls(place.folder, room, room.token, run, url)] == codes
        begun = [(each["platform"], each["priority"]) for each in room.ask("GET", "/api/v1/runs")["data"]["runs"]]
        assert begun[:4] == [(SHOP, "high"), ("auto", "high"), (SHOP, "normal"), (SHOP, "low")]
        assert len(begun) == 7


def test_many_rows_and_many_results_cost_the_api_no_memory(place: Workplace, room: Room) -> None:
    """100,000 of each: an upload goes to disk, results go through."""
    process = psutil.Process(room.pid)
    head = "\n".join(f"P{number:06},http://127.0.0.1/p/{number}" for number in range(100_000))
    warm = room.send(f"/api/v1/runs?platform={SHOP}", b"id,url\nA,http://127.0.0.1/p/1\n", "text/csv")
    room.ask("GET", f"/api/v1/runs/{warm['run']['run']}/results")
    before_mb = process.memory_info().rss / 1e6
    run = room.send(f"/api/v1/runs?platform={SHOP}", f"id,url\n{head}\n".encode(), "text/csv")["run"]["run"]
    eventually(lambda: room.ask("GET", f"/api/v1/runs/{run}")["data"]["products"] == 100_000, 120, "the whole run")
    with place.store() as store:
        for start in range(0, 100_000, 5000):
            numbers = range(start, start + 5000)
            store.write([make_result(f"P{number:06}", run=run) for number in numbers])
    assert sum(1 for _ in room.lines(f"/api/v1/runs/{run}/results?format=jsonl")) == 100_000
    grown_mb = process.memory_info().rss / 1e6 - before_mb
    assert grown_mb < 60


def curls(folder: Path, room: Room, token: str, run: str, url: str) -> list[tuple[str, int]]:
    """Runs the lines of the docs one by one, for that run and that product; each with the status that came."""
    section = (REPOSITORY / "docs" / "operations.md").read_text().partition("### Runs over HTTP")[2]
    script = re.search("```sh\n(.*?)```", section, re.DOTALL)
    assert script is not None
    lines = script[1].replace("musinsa.com/products/1", "@").splitlines()
    lines = [line.replace("https://www.@", url).replace("musinsa", SHOP) for line in lines]
    lines = [line.replace("https://www.myshop.com/p/", f"{url}&page=") for line in lines]
    names = [re.sub(r"http://[\d.:]+", room.url, line) for line in lines if line and not line.startswith("curl")]
    found = []
    draft = "0"
    for line in lines:
        if line.startswith("curl"):
            quiet = line.replace("curl", "curl --silent --show-error --output answer --write-out '%{http_code}'", 1)
            said = subprocess.run(
                ["bash", "-c", "\n".join([*names, quiet])],
                cwd=folder,
                env={**os.environ, "TOKEN": token, "RUN": run, "DRAFT": draft},
                capture_output=True,
                text=True,
                check=True,
                timeout=120,
            )
            found.append((line, int(said.stdout)))
            if said.stdout == "202":
                draft = json.loads((folder / "answer").read_text())["data"]["id"]
    return found
