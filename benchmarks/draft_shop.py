"""How `pagemill draft` does on a shop that somebody else wrote: drafts it from a few pages, then judges others.

    python -m benchmarks.draft_shop NAME TRUTH.json

The truth is a list of objects with `url`, `name`, `price`, `in_stock` and `gone`, all of one shop that runs, on this
machine by rule. Three products in stock, one that is not and one that is gone are named to the draft; of all others
name, price, stock and verdict are compared. Ends with 1 unless everything is right.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pagemill.model import ItemResult
from tests.e2e.drafting_forms import stock_said, without_pace
from tests.e2e.workplace import Workplace

_TIMEOUT_S = 600.0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.draft_shop", description=__doc__)
    parser.add_argument("name", help="the platform's name")
    parser.add_argument("truth", type=Path, help="a JSON file with the shop's products")
    parser.add_argument("--judge", type=int, default=20, help="how many further products (default: 20)")
    parser.add_argument("--wait-ms", default="0", help="the draft's pace (default: 0, the shop is one's own)")
    parser.add_argument("--keep", type=Path, help="copy the drafted file there")
    arguments = parser.parse_args()
    products = json.loads(arguments.truth.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder))
        (place.config / "platforms" / "demo-hydrated.yaml").unlink()
        named, others = _parted(products, arguments.judge)
        started_s = time.monotonic()
        drafted = _draft(place, arguments.name, named, arguments.wait_ms)
        took_s = time.monotonic() - started_s
        sys.stdout.write(f"{drafted.stdout}{drafted.stderr}draft: exit {drafted.returncode} after {took_s:.0f} s\n")
        file = place.config / "platforms" / f"{arguments.name}.yaml"
        if not file.exists():
            return 1
        if arguments.keep:
            arguments.keep.write_bytes(file.read_bytes())
        without_pace(file)
        wrong = _judge(place, arguments.name, others)
    for line in wrong:
        sys.stdout.write(f"  {line}\n")
    sys.stdout.write(f"{arguments.name}: {len(others) - len(wrong)} of {len(others)} products right\n")
    return 1 if wrong else 0


def _parted(
    products: Sequence[dict[str, Any]], count: int
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """The products that are named, by option, and so many others, all kinds among them."""
    kinds: dict[str, list[dict[str, Any]]] = {"": [], "--sold-out": [], "--gone": []}
    for product in products:
        kinds["--gone" if product["gone"] else "" if product["in_stock"] else "--sold-out"].append(product)
    named = {"": kinds[""][:3], "--sold-out": kinds["--sold-out"][:1], "--gone": kinds["--gone"][:1]}
    rest = {kind: every[len(named[kind]) :] for kind, every in kinds.items()}
    gone, sold_out = rest["--gone"][:2], rest["--sold-out"][: count // 3]
    return named, [*rest[""][: count - len(gone) - len(sold_out)], *sold_out, *gone]


def _draft(
    place: Workplace, name: str, named: dict[str, list[dict[str, Any]]], wait_ms: str
) -> subprocess.CompletedProcess[str]:
    urls = [product["url"] for product in named[""]]
    marks = [part for kind in ("--sold-out", "--gone") for one in named[kind] for part in (kind, one["url"])]
    arguments = ("draft", name, *urls, *marks, "--wait-ms", wait_ms)
    return place.run(*arguments, check=False, timeout_s=_TIMEOUT_S)


def _judge(place: Workplace, name: str, products: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each product that is not right."""
    file = place.folder / "catalogue.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("id", "url"))
        writer.writerows((str(number), product["url"]) for number, product in enumerate(products))
    run = place.run("enqueue", str(file), "--platform", name).stdout.split()[1].rstrip(":,")
    place.run("worker", "--burst", timeout_s=_TIMEOUT_S)
    results = {int(result.product_id): result for result in place.results(run)}
    told = (_mistakes(product, results[number]) for number, product in enumerate(products))
    return [line for line in told if line]


def _mistakes(product: dict[str, Any], result: ItemResult) -> str:
    right = "gone" if product["gone"] else "ok" if product["in_stock"] else "sold_out"
    wrong = [] if result.verdict.value == right else [f"{result.verdict.value}, not {right} ({result.reason})"]
    if not product["gone"]:
        facts = result.facts
        wrong += [
            f"{field} is {facts.get(field)!r}, not {product[field]!r}"
            for field in ("name", "price")
            if facts.get(field) != product[field]
        ]
        stock = "on_sale" if product["in_stock"] else "sold_out"
        wrong += [] if stock_said(facts) == stock else [f"stock is {stock_said(facts)!r}, not {stock!r}"]
    return f"{product['url']}: {'; '.join(wrong)}" if wrong else ""


if __name__ == "__main__":
    sys.exit(main())
