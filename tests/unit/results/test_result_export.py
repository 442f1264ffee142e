"""Results as JSON lines, CSV and a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pagemill.model import Difference, ItemResult, Verdict
from pagemill.results.export import (
    CHANGE_KEYS,
    KEYS,
    changes,
    write_csv,
    write_jsonl,
    write_records_csv,
    write_records_jsonl,
    write_table,
)
from pagemill.results.tables import write_changes_table, write_history_table
from tests.unit.results.result_values import make_result

CHANGED = make_result(
    "A1",
    verdict=Verdict.CHANGED,
    reason="price differs",
    differences=(Difference("price", 12900, 9900),),
    final_url="https://m.shop.com/A1",
)


def test_a_json_line_has_the_keys_of_the_contract() -> None:
    """In their order, with real types inside."""
    out = io.StringIO()

    assert write_jsonl([CHANGED], out) == 1

    assert json.loads(out.getvalue()) == {
        "run": "run-1",
        "batch": "b00001",
        "product_id": "A1",
        "url": "https://www.shop.com/A1",
        "final_url": "https://m.shop.com/A1",
        "platform": "shop",
        "verdict": "changed",
        "reason": "price differs",
        "differences": [{"field": "price", "expected": 12900, "found": 9900}],
        "facts": {"name": "셔츠", "price": 12900, "in_stock": True, "image": None},
        "attempts": 1,
        "started_at": "2026-11-21T01:02:03.456789+00:00",
        "finished_at": "2026-11-21T01:02:04.956789+00:00",
        "worker": "w1",
    }
    assert tuple(json.loads(out.getvalue())) == KEYS


def test_every_result_is_one_line() -> None:
    """Line breaks inside of texts are escaped."""
    out = io.StringIO()

    write_jsonl([make_result(reason="a\nb"), make_result("A2")], out)

    assert len(out.getvalue().splitlines()) == 2


def test_korean_text_stays_readable_where_the_stream_can_take_it() -> None:
    """A stream that is not UTF-8 gets escapes instead of an error."""
    utf8, ascii_only = (io.TextIOWrapper(io.BytesIO(), encoding=name) for name in ("utf-8", "ascii"))

    for stream in (utf8, ascii_only):
        write_jsonl([CHANGED], stream)
        stream.flush()

    assert "셔츠".encode() in utf8.buffer.getvalue()
    assert b"\\uc154" in ascii_only.buffer.getvalue()


def test_csv_has_the_same_columns_with_json_in_two_of_them() -> None:
    """It reads back."""
    out = io.StringIO()

    assert write_csv([CHANGED, make_result("B")], out) == 2

    first, second = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert tuple(first) == KEYS
    assert json.loads(first["differences"]) == [{"field": "price", "expected": 12900, "found": 9900}]
    assert json.loads(first["facts"])["name"] == "셔츠"
    assert first["final_url"] == "https://m.shop.com/A1"
    assert (second["product_id"], second["final_url"]) == ("B", "")


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\nb", 'a"b', "a,b", "a;b\t"])
def test_csv_keeps_line_breaks_and_quotes_inside_of_cells(text: str) -> None:
    """One result is one row, whatever its text."""
    out = io.StringIO(newline="")

    write_csv([make_result(reason=text)], out)

    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert row["reason"] == text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_becomes_a_formula(cell: str) -> None:
    """An apostrophe stands before what a spreadsheet would compute."""
    out = io.StringIO()

    write_csv([make_result(cell, reason=cell)], out)

    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert row["product_id"] == "'" + cell
    assert row["reason"] == "'" + cell


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠A1",
        "  =1+1",
        "a;=1+1",
        "a\t@A1",
        "a\n;  -1",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_spreadsheet_finds_a_formula(cell: str, delimiter: str) -> None:
    """Wherever it cuts the cells: where semicolons part columns, a file with commas is cut within texts."""
    out = io.StringIO(newline="")
    write_csv([make_result("A", reason=cell, facts={"name": cell})], out, excel=True)
    cells = [each for row in csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter) for each in row]
    starts = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
    assert [each for each in cells if each.strip(" ").startswith(starts)] == []
    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert row["reason"].replace("'", "").strip() == cell.strip(" ").strip()


def test_changes_stand_side_by_side() -> None:
    """One row for each field of a changed product, in every format; no other product."""
    differences = (
        Difference("price", 12900, 9900),
        Difference("in_stock", True, False),
        Difference("name", "=1", None),
    )
    results = [make_result("A0"), replace(CHANGED, differences=differences), make_result("A2", verdict=Verdict.GONE)]
    table, lines, rows = io.StringIO(), io.StringIO(), io.StringIO(newline="")

    assert write_changes_table(results, table, width=100) == 3
    assert write_records_jsonl(changes(results), lines) == 3
    assert write_records_csv(CHANGE_KEYS, changes(results), rows) == 3

    assert [line.split() for line in table.getvalue().splitlines()] == [
        ["product", "field", "expected", "found"],
        ["A1", "price", "12900", "9900"],
        ["A1", "in_stock", "true", "false"],
        ["A1", "name", "=1"],
    ]
    assert json.loads(lines.getvalue().partition("\n")[0]) == {
        "run": "run-1",
        "product_id": "A1",
        "platform": "shop",
        "url": "https://www.shop.com/A1",
        "field": "price",
        "expected": 12900,
        "found": 9900,
        "finished_at": "2026-11-21T01:02:04.956789+00:00",
    }
    read = list(csv.DictReader(io.StringIO(rows.getvalue(), newline="")))
    assert [(row["field"], row["expected"], row["found"]) for row in read] == [
        ("price", "12900", "9900"),
        ("in_stock", "true", "false"),
        ("name", "'=1", ""),
    ]


def test_many_changes_have_one_header() -> None:
    """The table is drawn in pieces."""
    out = io.StringIO()
    assert write_changes_table((replace(CHANGED, product_id=f"P{n:03}") for n in range(450)), out, width=100) == 450
    assert out.getvalue().count("expected") == 1
    assert len(out.getvalue().splitlines()) == 451


def test_a_history_shows_the_facts_that_tell_something() -> None:
    """Numbers, yes and no, and what was not always the same; what never changes stays out."""
    out = io.StringIO()
    results = [
        make_result(
            "A1",
            run="run-2",
            verdict=Verdict.CHANGED,
            reason="price: 5 -> 6",
            facts={"price": 6, "name": "컵", "image": "/b"},
        ),
        make_result("A1", run="run-1", facts={"price": 5, "name": "컵", "in_stock": True, "image": "/a"}),
    ]
    write_history_table(results, out, width=160)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["finished", "(UTC)", "run", "platform", "verdict", "price", "image", "in_stock", "reason"],
        ["2026-11-21", "01:02", "run-2", "shop", "changed", "6", "/b", "price:", "5", "->", "6"],
        ["2026-11-21", "01:02", "run-1", "shop", "ok", "5", "/a", "true"],
    ]


def test_a_table_names_verdict_product_and_difference() -> None:
    """With one header, whatever its length."""
    out = io.StringIO()
    results = [make_result(f"P{number:03d}") for number in range(450)] + [CHANGED]

    assert write_table(results, out, width=120) == 451

    text = out.getvalue()
    assert text.count("verdict") == 1
    assert text.count("P449") == 1
    assert CHANGED.reason in text
    assert "expected 12900" not in text, "the reason states the difference"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_place_in_every_format(verdict: Verdict) -> None:
    """The table shows it on one line, in a colour."""
    table, lines, rows = io.StringIO(), io.StringIO(), io.StringIO()

    write_table([make_result(verdict=verdict)], table, width=80)
    write_jsonl([make_result(verdict=verdict)], lines)
    write_csv([make_result(verdict=verdict)], rows)

    assert table.getvalue().splitlines()[1].startswith(f"{verdict} ")
    assert json.loads(lines.getvalue())["verdict"] == verdict
    assert next(csv.DictReader(io.StringIO(rows.getvalue())))["verdict"] == verdict


def test_a_page_cannot_steer_the_terminal() -> None:
    """Escape sequences and markup are shown as what they are."""
    out = io.StringIO()

    write_table([make_result("[red]A[/red]", reason="\x1b[2J\x9bboo")], out, width=120)

    assert "\x1b" not in out.getvalue()
    assert "\x9b" not in out.getvalue()
    assert "[red]A[/red]" in out.getvalue()


def test_an_empty_table_has_its_header() -> None:
    """Nothing to show is no error."""
    out = io.StringIO()
    assert write_table([], out, width=80) == 0
    assert "verdict" in out.getvalue()
    assert write_jsonl([], io.StringIO()) == 0
    assert write_csv([], out) == 0


@pytest.mark.parametrize("write", [write_jsonl, write_csv, write_table])
def test_results_are_written_as_they_come(write: object) -> None:
    """At most a few hundred are held at a time."""
    out = io.StringIO()
    longest_wait = 0
    written_before = 0

    def results() -> Iterator[ItemResult]:
        nonlocal longest_wait, written_before
        held = 0
        for number in range(1000):
            held += 1
            if out.tell() > written_before:
                written_before, held = out.tell(), 0
            longest_wait = max(longest_wait, held)
            yield make_result(f"P{number}")

    write(results(), out)  # type: ignore[operator]

    assert longest_wait <= 201
