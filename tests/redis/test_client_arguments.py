"""`import pagemill`: an argument that cannot be what it is means a `UsageError` that says what to write instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

import pagemill
from tests.redis.test_client import mill, url

__all__ = ["mill"]

pytestmark = pytest.mark.redis

ROWS = [{"id": "P1", "url": url(1)}]
WORDS = "write high, normal or low"
VERDICTS = "ok, changed, sold_out, off_sale, gone, blocked or failed"

Call = Callable[[Any], object]
"""What a program does with the connected `mill`."""


def a_product(product_id: Any, expected: Any) -> pagemill.Product:
    return pagemill.Product(product_id, url(1), expected)


ENQUEUE: list[tuple[Call, str]] = [
    (lambda mill: mill.enqueue(ROWS, "shop", priority="urgent"), f"priority is 'urgent': {WORDS}"),
    (lambda mill: mill.enqueue(ROWS, "shop", priority=None), f"priority is None: {WORDS}"),
    (lambda mill: mill.enqueue(ROWS, "shop", priority=["high"]), f"priority is of type list: {WORDS}"),
    (lambda mill: mill.enqueue(ROWS, None), "platform is None: write text"),
    (lambda mill: mill.enqueue(ROWS, ["shop"]), "platform is of type list: write text"),
    (lambda mill: mill.enqueue(ROWS, "shoe"), "no platform shoe: configured are shop"),
    (lambda mill: mill.enqueue(ROWS, "shop", source=None), "source is None: write text"),
    (lambda mill: mill.enqueue(ROWS, "shop", source="a\nb"), r"source is 'a\nb': write text without line breaks"),
    (lambda mill: mill.enqueue(ROWS, "shop", source="x" * 201), "write at most 200 characters"),
    (lambda mill: mill.enqueue(ROWS, "shop", batch_size=0), "batch_size is 0: write a whole number from 1 to 1,000"),
    (lambda mill: mill.enqueue(ROWS, "shop", batch_size=-1), "batch_size is -1: write a whole number from 1"),
    (lambda mill: mill.enqueue(ROWS, "shop", batch_size=1001), "batch_size is 1001: write a whole number from 1"),
    (lambda mill: mill.enqueue(ROWS, "shop", batch_size="50"), "batch_size is '50': write a whole number"),
    (lambda mill: mill.enqueue(ROWS, "shop", batch_size=2.5), "batch_size is 2.5: write a whole number"),
    (lambda mill: mill.enqueue(ROWS, "shop", batch_size=True), "batch_size is True: write a whole number"),
    (lambda mill: mill.enqueue(ROWS, "shop", encoding="cp949"), "encoding is of a file, and rows have none"),
    (lambda mill: mill.enqueue("c.csv", "shop", encoding=949), "encoding is 949: write text"),
    (lambda mill: mill.enqueue("c.csv", "shop", encoding="klingon"), "there is no encoding 'klingon'"),
    (lambda mill: mill.enqueue(ROWS, "shop", decimal=";"), "decimal is ';': write '.' or ','"),
    (lambda mill: mill.enqueue(ROWS, "shop", decimal=0.5), "decimal is 0.5: write '.' or ','"),
    (lambda mill: mill.enqueue(ROWS, "shop", on_bad_row="print"), "on_bad_row is 'print': name a function"),
    (lambda mill: mill.enqueue(5, "shop"), "products is 5: write a list or a generator of rows, or the path"),
    (lambda mill: mill.enqueue(None, "shop"), "products is None: write a list"),
    (lambda mill: mill.enqueue(ROWS[0], "shop"), "products is of type dict: write a list"),
    (lambda mill: mill.enqueue(b"c.csv", "shop"), "products is of type bytes: write a list"),
    (lambda mill: mill.enqueue("c.txt", "shop"), "c.txt is not a catalogue: its name must end in"),
    (lambda mill: mill.enqueue("absent.csv", "shop"), "absent.csv does not exist: correct the path"),
    (lambda mill: mill.enqueue(["id", "url"], "shop"), "row 1 is 'id': a product is a mapping with id and url"),
    (lambda mill: mill.enqueue(iter([None]), "shop"), "row 1 is None: a product is a mapping with id and url"),
    (lambda mill: mill.enqueue([a_product("P1", None)], "shop"), "row 1: what is expected is None: write a mapping"),
    (lambda mill: mill.enqueue([a_product(None, {})], "shop"), "row 1: no id"),
    (lambda mill: mill.enqueue([{"id": "P1", "url": 5}], "shop"), "row 1: no url"),
]
AFTERWARDS: list[tuple[Call, str]] = [
    (lambda mill: mill.again("r", ["fine"]), f"verdicts is 'fine': write {VERDICTS}"),
    (lambda mill: mill.again("r", "failed"), f"verdicts is 'failed': write a list, of {VERDICTS}"),
    (lambda mill: mill.again("r", None), "verdicts is None: write a list"),
    (lambda mill: mill.again("r", missing="no"), "missing is 'no': write True or False"),
    (lambda mill: mill.again("r", priority="urgent"), f"priority is 'urgent': {WORDS}"),
    (lambda mill: mill.again(5), "run is 5: write text"),
    (lambda mill: mill.again("other"), "no run other"),
    (lambda mill: mill.progress(None), "run is None: write text"),
    (lambda mill: mill.progress("other"), "no run other"),
    (lambda mill: mill.wait(["r"]), "run is of type list: write text"),
    (lambda mill: mill.wait("other"), "no run other"),
    (lambda mill: mill.wait("r", timeout_s="1"), "timeout_s is '1': write seconds, a number from 0"),
    (lambda mill: mill.wait("r", timeout_s=-1), "timeout_s is -1: write seconds"),
    (lambda mill: mill.wait("r", timeout_s=math.nan), "timeout_s is nan: write seconds"),
    (lambda mill: mill.wait("r", 0, on_progress=1), "on_progress is 1: name a function"),
    (lambda mill: mill.wait("r", 0, on_stranded=None), "on_stranded is None: name a function"),
    (lambda mill: mill.results(5), "run is 5: write text"),
    (lambda mill: mill.results("other"), "no run other"),
    (lambda mill: mill.results(verdict="fine"), f"verdict is 'fine': write {VERDICTS}"),
    (lambda mill: mill.history(5), "product_id is 5: write text"),
    (lambda mill: mill.history("P1", 5), "platform is 5: write text"),
    (lambda mill: mill.runs(0), "limit is 0: write a whole number from 1"),
    (lambda mill: mill.runs("20"), "limit is '20': write a whole number from 1"),
    (lambda mill: mill.runs(10**30), "write a whole number from 1"),
    (lambda mill: mill.cancel(None), "run is None: write text"),
    (lambda mill: mill.cancel("r\x00"), "write text without line breaks"),
    (lambda mill: mill.cancel("other"), "no run other"),
]


@pytest.mark.parametrize(("call", "told"), ENQUEUE, ids=[told[:50] for _, told in ENQUEUE])
def test_what_cannot_be_queued_is_told(
    mill: pagemill.Pagemill, redis_client: redis.Redis, call: Call, told: str
) -> None:
    """Before anything is begun."""
    Path("c.csv").write_text(f"id,url\nP1,{url(1)}\n")
    with pytest.raises(pagemill.UsageError) as caught:
        call(mill)
    assert told in str(caught.value)
    assert mill.runs() == []
    assert redis_client.dbsize() == 0


@pytest.mark.parametrize(("call", "told"), AFTERWARDS, ids=[told[:50] for _, told in AFTERWARDS])
def test_what_cannot_be_asked_of_a_run_is_told(mill: pagemill.Pagemill, call: Call, told: str) -> None:
    """Nothing is begun, and nothing is waited for."""
    mill._store.create_run("r", "shop", "test")
    with pytest.raises(pagemill.UsageError) as caught:
        call(mill)
    assert told in str(caught.value)
    assert len(mill.runs()) == 1


@pytest.mark.parametrize(
    ("folder", "told"),
    [(5, "config is 5: write text"), ("a\x00", "config is 'a\\x00': write text"), (Path("a\x00"), "write text")],
)
def test_a_folder_that_is_no_path_is_told(folder: Any, told: str) -> None:
    """One that is not there is a mistake of the configuration, as ever."""
    with pytest.raises(pagemill.UsageError) as caught:
        pagemill.connect(folder)
    assert told in str(caught.value)
    with pytest.raises(pagemill.UsageError, match=r"pagemill\.connect\(FOLDER\) does that"):
        pagemill.Pagemill("config")  # type: ignore[arg-type]


def test_a_mill_is_used_in_its_block(mill: pagemill.Pagemill) -> None:
    """Before it and after it nothing is open."""
    closed = pagemill.connect()
    for _ in range(2):
        with pytest.raises(pagemill.UsageError, match=r"write `with pagemill\.connect\(\) as mill:`"):
            closed.enqueue(ROWS, "shop")
        with pytest.raises(pagemill.UsageError, match="is not open"):
            closed.runs()
        with closed:
            assert closed.runs() == mill.runs()
