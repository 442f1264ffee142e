"""`pagemill results` on a real SQLite file: formats, choices and what is said when there is nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagemill.model import Difference, Verdict
from pagemill.results.export import CHANGE_KEYS, KEYS
from pagemill.results.store import ResultStore
from tests.unit.cli.command import Said, run
from tests.unit.results.result_values import make_result

SHOP = "platform: shop\nhosts: [www.shop.com]\nextract: {fields: {name: h1}}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration and an empty database."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(SHOP)
    with store_in(tmp_path):
        pass
    return tmp_path


def store_in(place: Path) -> ResultStore:
    """The database that commands in that folder use."""
    return ResultStore(f"sqlite:///{place / 'data' / 'pagemill.db'}")


@pytest.fixture
def filled(place: Path) -> Iterator[Path]:
    """Two runs: an old one of one product, and the latest of three."""
    with store_in(place) as store:
        store.create_run("run-0", "shop", "old.csv")
        store.write([make_result("A0", run="run-0")])
        store.seal_run("run-0", 1, 1, 0)
        store.create_run("run-1", "shop", "new.csv")
        store.write(
            [
                make_result("A1", final_url="https://www.shop.com/moved/A1"),
                make_result(
                    "A2",
                    verdict=Verdict.CHANGED,
                    reason="price: 1 -> 2",
                    differences=(Difference("price", 1, 2),),
                ),
                make_result("A3", verdict=Verdict.FAILED, reason='said "no", twice\nover'),
            ]
        )
        store.seal_run("run-1", 3, 1, 0)
    yield place


def results(place: Path, *arguments: str) -> Said:
    """Runs the command, which must work."""
    said = run(place, "results", *arguments, COLUMNS="200")
    assert said.code == 0, said.err
    return said


def test_jsonl_has_one_object_a_line(filled: Path) -> None:
    """With the keys that scripts rely on, and text as it is."""
    records = [json.loads(line) for line in results(filled, "--format", "jsonl").out.splitlines()]
    assert [record["product_id"] for record in records] == ["A1", "A2", "A3"]
    assert all(tuple(record) == KEYS for record in records)
    assert records[0]["facts"]["name"] == "셔츠"
    assert [record["final_url"] for record in records] == ["https://www.shop.com/moved/A1", "", ""]
    assert records[1]["differences"] == [{"field": "price", "expected": 1, "found": 2}]
    assert records[2]["reason"] == 'said "no", twice\nover'
    assert records[0]["started_at"] == "2026-11-21T01:02:03.456789+00:00"


def test_csv_can_be_read_back(filled: Path) -> None:
    """Quotes and line ends in a reason do not break it."""
    rows = list(csv.DictReader(io.StringIO(results(filled, "--format", "csv").out)))
    assert [row["product_id"] for row in rows] == ["A1", "A2", "A3"]
    assert tuple(rows[0]) == KEYS
    assert rows[0]["final_url"] == "https://www.shop.com/moved/A1"
    assert rows[2]["verdict"] == "failed"


def test_the_table_is_for_people(filled: Path) -> None:
    """And it is what comes without a format."""
    shown = results(filled).out
    assert all(word in shown for word in ("A1", "A2", "A3", "changed", "price: 1 -> 2"))
    assert "A0" not in shown
    assert results(filled, "--format", "table").out == shown


@pytest.mark.parametrize(
    ("arguments", "products"),
    [
        ([], ["A1", "A2", "A3"]),
        (["--run", "run-0"], ["A0"]),
        (["--verdict", "failed"], ["A3"]),
        (["--verdict", "gone"], []),
        (["--verdict", "off_sale"], []),
        (["--run", "run-0", "--verdict", "ok"], ["A0"]),
    ],
    ids=str,
)
def test_results_can_be_chosen(filled: Path, arguments: list[str], products: list[str]) -> None:
    """By run, the latest one by default, and by verdict."""
    lines = results(filled, *arguments, "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["product_id"] for line in lines] == products


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_changes_have_expected_and_found_side_by_side(filled: Path, form: str) -> None:
    """Of changed products only, in every format."""
    said = results(filled, "--changes", "--format", form).out
    lines = said.splitlines()
    assert len(lines) == (1 if form == "jsonl" else 2)
    assert "A1" not in said
    assert all(word in lines[-1] for word in ("A2", "price", "1", "2"))
    if form == "csv":
        assert tuple(next(csv.reader(io.StringIO(said)))) == CHANGE_KEYS


@pytest.mark.parametrize("options", [[], ["--changes"], ["--format", "csv"], ["--verdict", "changed"]])
def test_a_spreadsheet_gets_utf8_with_bom(filled: Path, options: list[str]) -> None:
    """Without the BOM, Excel takes it for the machine's own encoding; by a real pipe whose encoding is another."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp949", "PYTHONUTF8": "0"}
    arguments = [sys.executable, "-m", "pagemill", "results", "--excel", *options]
    done = subprocess.run(arguments, cwd=filled, env=environment, capture_output=True, check=True)
    assert done.stdout.startswith("\ufeff".encode())
    assert b"\r\r\n" not in done.stdout
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode("utf-8-sig"), newline="")))
    assert {row["product_id"] for row in rows} >= {"A2"}
    if "--changes" not in options:
        assert "셔츠" in rows[0]["facts"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--excel", "--format", "jsonl"], "--excel is CSV: leave --format jsonl out"),
        (["--changes", "--verdict", "gone"], "--changes is of changed products: leave --verdict gone out"),
    ],
)
def test_what_does_not_go_together_is_told(filled: Path, options: list[str], told: str) -> None:
    """With what to leave out."""
    said = run(filled, "results", *options)
    assert (said.code, said.out, told in said.err) == (2, "", True)


def history(place: Path, *arguments: str) -> Said:
    return run(place, "history", *arguments, COLUMNS="200")


def test_a_products_history_is_written(filled: Path) -> None:
    """The newest run first, in every format, at most so many."""
    with store_in(filled) as store:
        store.write([make_result("A1", run="run-0", facts={"price": 11})])
    said = history(filled, "A1", "--format", "jsonl")
    assert [json.loads(line)["run"] for line in said.out.splitlines()] == ["run-1", "run-0"]
    rows = list(csv.DictReader(io.StringIO(history(filled, "A1", "--format", "csv").out)))
    assert [row["run"] for row in rows] == ["run-1", "run-0"]
    said = history(filled, "A1", "--platform", "shop")
    assert [line.split()[2:6] for line in said.out.splitlines()[1:]] == [
        ["run-1", "shop", "ok", "12900"],
        ["run-0", "shop", "ok", "11"],
    ]
    assert said.err == ""
    said = history(filled, "A1", "--limit", "1", "--excel")
    assert said.out.startswith("\ufeffrun,")
    assert (said.out.count("run-1"), said.out.count("run-0")) == (1, 0)
    assert "--limit shows more" in said.err


@pytest.mark.parametrize("arguments", [["A9"], ["A1", "--platform", "other"]])
def test_a_product_without_results_is_a_mistake(filled: Path, arguments: list[str]) -> None:
    """A script would take an empty answer for one that never changed."""
    said = history(filled, *arguments)
    assert (said.code, said.out) == (2, "")
    assert "there is no result of a product" in said.err


def test_a_run_that_has_just_begun_has_no_results_yet(place: Path) -> None:
    """That is no error, and a script reads nothing."""
    with store_in(place) as store:
        store.create_run("run-1", "shop", "new.csv")
    assert results(place, "--format", "jsonl").out == ""


def test_without_a_run_it_says_how_to_get_one(place: Path) -> None:
    """On standard error: standard output is for results."""
    said = results(place, "--format", "jsonl")
    assert said.out == ""
    assert "pagemill enqueue" in said.err


def test_a_run_that_does_not_exist_is_a_mistake(filled: Path) -> None:
    """Not an empty answer, which a script would take for a run without results."""
    said = run(filled, "results", "--run", "run-7", "--format", "jsonl")
    assert (said.code, said.out) == (2, "")
    assert "run-7" in said.err
    assert "pagemill runs" in said.err


def test_a_database_out_of_reach_ends_with_69(place: Path) -> None:
    """One line with what to correct."""
    (place / "file").touch()
    said = run(place, "results", PAGEMILL_DATABASE_URL=f"sqlite:///{place}/file/pagemill.db")
    assert said.code == 69
    assert "PAGEMILL_DATABASE_URL" in said.err
    assert len(said.err.splitlines()) == 1
