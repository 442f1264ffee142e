"""`import pagemill`: runs from a program of one's own, on a real Redis and a real database."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

import pagemill
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.intake.rows import BadRow
from pagemill.model import Product
from tests.unit.results.result_values import make_result

pytestmark = pytest.mark.redis

SHOP = (
    "platform: shop\nhosts: [www.shop.com]\n"
    "extract: {fields: {name: h1, price: {selector: .price, type: number},"
    " in_stock: {selector: .buy, type: boolean}}}\n"
)


class NotAvailable:
    """What pandas has in empty cells of columns that are not floats."""

    __hash__ = None  # type: ignore[assignment]

    def __ne__(self, other: object) -> NotAvailable:  # type: ignore[override]
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


class Several:
    """Several values in one cell, as libraries for tables have them."""

    def item(self) -> float:
        raise ValueError("can only convert an array of size 1")


@pytest.fixture
def mill(
    tmp_path: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pagemill.Pagemill]:
    """Connected, by the configuration of a folder that is the present one."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGEMILL_REDIS_URL", redis_server)
    monkeypatch.setenv("PAGEMILL_DATABASE_URL", f"sqlite:///{tmp_path}/r.db")
    with pagemill.connect() as connected:
        yield connected


def url(number: int) -> str:
    return f"https://www.shop.com/{number}"


def queued(client: redis.Redis) -> list[Product]:
    """The products that wait."""
    jobs = open_queue(client, "shop").get_jobs()
    return [product for job in jobs for product in from_arguments(*job.args).products]


class Cell:
    """A number as libraries for tables have it."""

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value


def test_rows_become_a_run(mill: pagemill.Pagemill, redis_client: redis.Redis) -> None:
    """A generator of mappings; what is empty is not expected, whatever a table has in its empty cells."""
    rows = (
        {"id": f"P{number}", "url": url(number), "name": "컵", "price": price, "in_stock": None}
        for number, price in enumerate([12900, 9.5, math.nan, Cell(7.0), Cell(math.nan), None])
    )
    run = mill.enqueue(rows, "shop", source="nightly")
    prices = [product.expected.get("price") for product in queued(redis_client)]
    assert prices == [12900, 9.5, None, 7.0, None, None]
    assert all(product.expected["name"] == "컵" for product in queued(redis_client))
    assert (mill.runs()[0].run, mill.runs()[0].source, mill.runs()[0].products) == (run, "nightly", 6)


def test_cells_of_a_data_frame_are_read_as_what_they_are(mill: pagemill.Pagemill, redis_client: redis.Redis) -> None:
    """One that is not available is empty, one with several values makes a bad row."""
    rows = [{"id": f"P{number}", "url": url(number), "price": NotAvailable()} for number in range(2)]
    heard: list[BadRow] = []
    mill.enqueue([*rows, {"id": "P2", "url": url(2), "price": Several()}], "shop", on_bad_row=heard.append)
    assert queued(redis_client) == [Product("P0", url(0), {}), Product("P1", url(1), {})]
    assert [str(row) for row in heard] == ["line 3: price: is a list or an object: write a single value"]


def test_products_and_catalogues_become_runs(
    mill: pagemill.Pagemill, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """By the same rules."""
    mill.enqueue([pagemill.Product("P1", url(1), {"price": 5})], "shop")
    (tmp_path / "c.csv").write_text(f"id,url,price\nP2,{url(2)},6\n")
    mill.enqueue(tmp_path / "c.csv", "shop", batch_size=10)
    assert queued(redis_client) == [Product("P1", url(1), {"price": 5}), Product("P2", url(2), {"price": 6})]


def test_a_file_of_any_form_and_a_priority(mill: pagemill.Pagemill, redis_client: redis.Redis, tmp_path: Path) -> None:
    """What the command can be told."""
    (tmp_path / "c.csv").write_bytes(f"ID;Url;Name;PRICE\nP1;{url(1)};컵;1.234\n".encode("cp949"))
    run = mill.enqueue(tmp_path / "c.csv", "shop", encoding="cp949", decimal=",", priority="high")
    [job] = open_queue(redis_client, "shop", pagemill.Priority.HIGH).get_jobs()
    assert from_arguments(*job.args).products == (Product("P1", url(1), {"name": "컵", "price": 1234}),)
    assert mill.runs()[0].priority is pagemill.Priority.HIGH
    mill.cancel(run)
    mill.again(run, priority=pagemill.Priority.LOW)
    assert len(open_queue(redis_client, "shop", pagemill.Priority.LOW)) == 1


def test_each_product_by_the_host_of_its_url(mill: pagemill.Pagemill, redis_client: redis.Redis) -> None:
    """With `auto` in place of a platform's name."""
    rows = [{"id": "P1", "url": url(1)}, {"id": "P2", "url": "https://elsewhere.com/"}]
    heard: list[BadRow] = []
    mill.enqueue(rows, "auto", on_bad_row=heard.append)
    assert [product.id for product in queued(redis_client)] == ["P1"]
    assert [row.line for row in heard] == [2]
    assert (mill.runs()[0].platform, mill.runs()[0].skipped) == ("auto", 1)


def test_a_products_history_is_read(mill: pagemill.Pagemill) -> None:
    """The newest run first."""
    runs = [mill.enqueue([{"id": "P1", "url": url(1)}], "shop") for _ in range(2)]
    for run, price in zip(runs, (5, 6), strict=True):
        mill._store.write([make_result("P1", run=run, facts={"price": price})])
    assert [(result.run, result.facts["price"]) for result in mill.history("P1", "shop")] == [
        (runs[1], 6),
        (runs[0], 5),
    ]
    assert list(mill.history("P1", "other")) == []


def test_a_bad_row_is_a_mistake_unless_somebody_hears_of_it(mill: pagemill.Pagemill) -> None:
    """Then it is passed over and counted."""
    rows = [{"id": "P1", "url": url(1)}, {"id": "P2", "url": "https://elsewhere.com/"}, {"id": "P1", "url": url(3)}]
    with pytest.raises(pagemill.UsageError, match=r"row 2: host elsewhere\.com is not one of the platform's hosts"):
        mill.enqueue(rows, "shop")
    heard: list[BadRow] = []
    mill.enqueue(rows, "shop", on_bad_row=heard.append)
    assert [row.line for row in heard] == [2, 3]
    assert (mill.runs()[0].products, mill.runs()[0].skipped) == (1, 2)


@pytest.mark.parametrize(
    ("rows", "platform", "told"),
    [
        ([], "shop", "holds no product"),
        ([{"id": "P1", "url": "https://www.shop.com/"}], "other", "no platform other"),
        (["P1"], "shop", "row 1 is 'P1': a product is a mapping with id and url"),
    ],
)
def test_what_cannot_be_a_run_is_told(mill: pagemill.Pagemill, rows: list[object], platform: str, told: str) -> None:
    with pytest.raises(pagemill.PagemillError, match=told):
        mill.enqueue(rows, platform)  # type: ignore[arg-type]


def test_a_run_is_waited_for_and_its_results_are_read(mill: pagemill.Pagemill) -> None:
    """As they come; with a limit of time, for whoever wants one."""
    run = mill.enqueue([{"id": f"P{number}", "url": url(number)} for number in range(3)], "shop")
    with pytest.raises(pagemill.PagemillError, match="took longer than 0 s"):
        mill.wait(run, timeout_s=0)
    seen: list[int] = []

    def work() -> None:
        for number in range(3):
            verdict = pagemill.Verdict.CHANGED if number else pagemill.Verdict.OK
            mill._store.write([make_result(f"P{number}", run=run, verdict=verdict)])

    worker = threading.Thread(target=work)
    worker.start()
    told: list[str] = []
    progress = mill.wait(run, 20, lambda each: seen.append(each.done), told.append)
    worker.join()
    assert (progress.done, progress.finished, seen[-1]) == (3, True, 3)
    assert [result.product_id for result in mill.results(run, "changed")] == ["P1", "P2"]
    assert len(list(mill.results())) == 3
    assert mill.progress(run).by_verdict == {pagemill.Verdict.OK: 1, pagemill.Verdict.CHANGED: 2}


def test_a_run_is_cancelled_and_asked_again(mill: pagemill.Pagemill, redis_client: redis.Redis) -> None:
    """What has no result is asked for, and what is named."""
    run = mill.enqueue([{"id": f"P{number}", "url": url(number)} for number in range(3)], "shop", batch_size=2)
    mill._store.write([make_result("P0", run=run)])
    mill.cancel(run)
    assert mill.wait(run).cancelled
    assert queued(redis_client) == []
    mill.again(run)
    assert [product.id for product in queued(redis_client)] == ["P1", "P2"]
    mill.again(run, ["ok"], missing=False)
    assert [product.id for product in queued(redis_client)][2:] == ["P0"]


def test_importing_it_brings_nothing_that_is_not_asked_for() -> None:
    """A scheduler of one's own imports it at each start."""
    script = "import sys, pagemill; print(len([m for m in sys.modules if m.startswith('pagemill')]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert set(pagemill.__all__) <= {*pagemill._HOMES}
    assert all(getattr(pagemill, name) is not None for name in pagemill.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pagemill.nothing  # noqa: B018
