"""Generated catalogues: deterministic, lazy, and written so that any reader gets the same values back."""

from __future__ import annotations

import csv
import itertools
import json
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.demo.catalogue import (
    COLUMNS,
    PLATFORM_PATHS,
    CatalogueRow,
    generate,
    write_catalogue_csv,
    write_catalogue_jsonl,
)
from pagemill.demo.faults import FAULTS
from pagemill.demo.truth import truth_of
from pagemill.errors import UsageError
from pagemill.model import FactValue, Product, Verdict

BASE = "http://127.0.0.1:8900"

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
expectations = st.fixed_dictionaries(
    {}, optional={"name": texts.filter(bool), "price": st.integers(0, 10**9), "in_stock": st.booleans()}
)
any_rows = st.lists(
    st.builds(
        CatalogueRow,
        st.builds(Product, st.text("abc-123", min_size=1), st.just(f"{BASE}/hydrated/p/x"), expectations),
        st.sampled_from(Verdict),
    ),
    max_size=5,
)


@pytest.mark.parametrize("platform", PLATFORM_PATHS)
def test_same_arguments_give_the_same_rows(platform: str) -> None:
    """Twice the same, and another seed gives other products."""
    first, again = (list(generate(platform, BASE, 50, seed=4)) for _ in range(2))
    other = list(generate(platform, BASE, 50, seed=5))
    assert first == again
    assert {row.product.id for row in first}.isdisjoint(row.product.id for row in other)


@pytest.mark.parametrize(("platform", "path"), PLATFORM_PATHS.items())
def test_rows_lead_to_their_platform(platform: str, path: str) -> None:
    """Ids are unique, and every URL is that of its product."""
    rows = list(generate(platform, BASE + "/", 200))
    assert len({row.product.id for row in rows}) == 200
    assert all(row.product.url == f"{BASE}/{path}/p/{row.product.id}" for row in rows)


def test_verdicts_come_in_the_documented_shares() -> None:
    """About 81 % ok, 8 % changed, 5 % sold out, 4 % gone and 2 % blocked."""
    count = 10_000
    seen = Counter(row.right_verdict for row in generate("demo-hydrated", BASE, count))
    percent = {verdict: round(100 * seen[verdict] / count) for verdict in Verdict}
    assert percent[Verdict.OK] in range(79, 84)
    assert percent[Verdict.CHANGED] in range(7, 10)
    assert percent[Verdict.SOLD_OUT] in range(4, 7)
    assert percent[Verdict.GONE] in range(3, 6)
    assert percent[Verdict.BLOCKED] in range(1, 4)
    assert percent[Verdict.FAILED] == 0


def test_right_verdict_is_the_truth_of_the_id() -> None:
    """The shop, which sees only the id, comes to the same verdict."""
    assert all(row.right_verdict is truth_of(row.product.id).verdict for row in generate("demo-api", BASE, 300, seed=1))


def test_large_catalogue_is_not_made_at_once() -> None:
    """The first rows of a catalogue of a thousand million are there at once."""
    rows = generate("demo-jsonld", BASE, 10**9)
    assert len(list(itertools.islice(rows, 3))) == 3


def test_every_tenth_row_has_the_next_fault() -> None:
    """Faults come in turn, at products whose own state is ok, with the fault's verdict."""
    rows = list(generate("demo-hydrated", BASE, 10 * len(FAULTS), faults=list(FAULTS)))
    faulty = rows[9::10]
    assert [parse_qs(urlsplit(row.product.url).query)["fault"] for row in faulty] == [[kind] for kind in FAULTS]
    for row, fault in zip(faulty, FAULTS.values(), strict=True):
        assert row.right_verdict is fault.right_verdict
        assert row.also_right == fault.also_right
        assert truth_of(row.product.id).verdict is Verdict.OK
    assert not any("fault" in row.product.url for row in rows if row not in faulty)


def test_leak_and_weight_are_in_the_url() -> None:
    """Every page of the catalogue leaks as much as asked, with a fault or without."""
    rows = generate("demo-hydrated", BASE, 4, leak_kb=64, weight="light", faults=["dialog"], fault_every=2)
    queries = [parse_qs(urlsplit(row.product.url).query) for row in rows]
    assert all(query["leak"] == ["64"] and query["weight"] == ["light"] for query in queries)
    assert [query.get("fault") for query in queries] == [None, ["dialog"], None, ["dialog"]]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"platform": "musinsa"}, "demo-hydrated"),
        ({"faults": ["earthquake"]}, "endless-script"),
        ({"weight": "feather"}, "light"),
        ({"fault_every": 0}, "fault_every"),
    ],
)
def test_unknown_words_are_refused_at_once(arguments: dict[str, object], named: str) -> None:
    """The error comes before the first row and names what there is."""
    with pytest.raises(UsageError, match=named):
        generate(**{"platform": "demo-api", "base_url": BASE, "count": 1, **arguments})  # type: ignore[arg-type]


def test_row_accepts_what_depends_on_the_machine() -> None:
    """A verdict that is right on some machines is accepted, any other is not."""
    row = next(generate("demo-hydrated", BASE, 1, faults=["eats-memory"], fault_every=1))
    assert row.accepts(Verdict.OK)
    assert row.accepts(Verdict.FAILED)
    assert not row.accepts(Verdict.GONE)


@given(any_rows)
def test_csv_gives_the_values_back(tmp_path_factory: pytest.TempPathFactory, rows: list[CatalogueRow]) -> None:
    """Whatever a name holds, a CSV reader finds it again; an empty cell is something not expected."""
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    assert write_catalogue_csv(path, rows) == len(rows)
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [(line["id"], line["url"], _from_cells(line)) for line in read] == [_values(row) for row in rows]


@given(any_rows)
def test_jsonl_gives_the_values_back(tmp_path_factory: pytest.TempPathFactory, rows: list[CatalogueRow]) -> None:
    """One JSON object per line, with the types that the values have."""
    path = tmp_path_factory.mktemp("jsonl") / "rows.jsonl"
    assert write_catalogue_jsonl(path, rows) == len(rows)
    with path.open(encoding="utf-8", newline="\n") as file:
        read = [json.loads(line) for line in file]
    assert [(line.pop("id"), line.pop("url"), line) for line in read] == [_values(row) for row in rows]


def test_csv_looks_as_documented(tmp_path: Path) -> None:
    """The header, and booleans as people write them."""
    path = tmp_path / "rows.csv"
    write_catalogue_csv(path, generate("demo-hydrated", BASE, 100))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert {line.rpartition(",")[2] for line in lines[1:]} == {"true", "false"}


def _values(row: CatalogueRow) -> tuple[str, str, dict[str, FactValue]]:
    return row.product.id, row.product.url, dict(row.product.expected)


def _from_cells(line: dict[str, str]) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    if line["name"]:
        facts["name"] = line["name"]
    if line["price"]:
        facts["price"] = int(line["price"])
    if line["in_stock"]:
        facts["in_stock"] = {"true": True, "false": False}[line["in_stock"]]
    return facts
