"""Runs with results, as workers write them, and what workers keep of failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pagemill.extraction.artifact_files import HTML, PICTURE, file_name
from pagemill.model import Difference, Facts, ItemResult, Verdict
from pagemill.results.store import ResultStore

PLATFORM = "musinsa"
RUN = "20261128-020000-musinsa-4f1c"
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
_CYCLE = (Verdict.OK,) * 12 + (
    Verdict.CHANGED,
    Verdict.CHANGED,
    Verdict.CHANGED,
    Verdict.SOLD_OUT,
    Verdict.OFF_SALE,
    Verdict.GONE,
    Verdict.BLOCKED,
    Verdict.FAILED,
)
_NAMES = ("오버핏 와이드 데님", "Linen shirt", "울 니트 네이비", "Canvas tote bag")
_REASONS = {
    Verdict.SOLD_OUT: "in_stock is false",
    Verdict.OFF_SALE: "the page says: sales have ended",
    Verdict.GONE: "status 404",
    Verdict.BLOCKED: "status 403",
    Verdict.FAILED: "content did not appear: body[data-ready] was not there after 30 s",
}


def a_result(number: int, run: str = RUN, at: datetime | None = None) -> ItemResult:
    """One of many: every verdict, in turns."""
    verdict = _CYCLE[number % len(_CYCLE)]
    at = at or datetime(2026, 11, 28, 2, 0, tzinfo=UTC) + timedelta(seconds=number / 10)
    price = 9900 + 100 * (number % 400)
    facts: Facts = {
        "name": f"{_NAMES[number % 4]} {number:05}",
        "price": price,
        "in_stock": verdict is not Verdict.SOLD_OUT,
    }
    differences: tuple[Difference, ...] = ()
    if verdict is Verdict.CHANGED:
        differences = (Difference("price", price + 1000, price),)
        if number % 2:
            differences = (Difference("name", f"{_NAMES[number % 4]} (old) {number:05}", facts["name"]), *differences)
    reason = _REASONS.get(verdict, "; ".join(f"{each.field} {each.expected} → {each.found}" for each in differences))
    url = f"https://www.musinsa.test/products/{number}"
    return ItemResult(
        run=run,
        batch=f"b{number // 100:05}",
        product_id=f"P{number:06}",
        url=url,
        platform=PLATFORM,
        verdict=verdict,
        reason=reason,
        differences=differences,
        facts={} if verdict in (Verdict.BLOCKED, Verdict.FAILED, Verdict.GONE) else facts,
        attempts=3 if verdict is Verdict.FAILED else 1,
        started_at=at,
        finished_at=at + timedelta(seconds=1.4),
        worker="vm-7307-3d1d",
        final_url=f"{url}?from=list" if verdict is Verdict.CHANGED else url,
        expected={"price": price, "status": "on sale"},
    )


def fill_run(store: ResultStore, run: str = RUN, products: int = 120, done: int = 120) -> None:
    """A run that is queued, with results of its first products."""
    store.create_run(run, PLATFORM, "catalogue.csv")
    store.seal_run(run, products, -(-products // 100), 2)
    for start in range(0, done, 1000):
        store.write([a_result(number, run) for number in range(start, min(done, start + 1000))])


def fill_history(store: ResultStore, product: str = "P000013", runs: int = 24) -> None:
    """One product in run after run: its price moves, two visits failed, once it was sold out."""
    for number in range(runs):
        run = f"202611{number + 1:02}-020000-musinsa-aaaa"
        store.create_run(run, PLATFORM, "schedule: nightly")
        at = datetime(2026, 11, 1, 2, tzinfo=UTC) + timedelta(days=number)
        result = replace(a_result(0, run, at), product_id=product)
        price = 59000 - 2500 * (number // 5) + (4000 if number % 11 == 3 else 0)
        facts: Facts = {**result.facts, "price": price, "list_price": 69000}
        if number in (6, 7):
            result = replace(result, verdict=Verdict.FAILED, facts={}, reason=_REASONS[Verdict.FAILED])
        elif number == 15:
            result = replace(
                result, verdict=Verdict.SOLD_OUT, facts={**facts, "in_stock": False}, reason="in_stock is false"
            )
        else:
            result = replace(result, facts=facts)
        store.seal_run(run, 1, 1, 0)
        store.write([result])


def keep_evidence(folder: Path, run: str, product: str, picture: bytes) -> None:
    """That picture, and HTML with a script in it."""
    folder.mkdir(exist_ok=True)
    name = file_name((run, product))
    (folder / f"{name}{PICTURE.suffix}").write_bytes(picture)
    (folder / f"{name}{HTML.suffix}").write_text("<script>document.title='taken'</script><h1>Access denied</h1>")
