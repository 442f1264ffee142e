"""How a lane follows a visit that has steps, and a verdict that wants to be confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pagemill.engine.confirming import Confirming
from pagemill.engine.lane import Lane
from pagemill.errors import VisitGoesOn
from pagemill.model import Difference, Judgement, PageReading, Verdict
from tests.unit.engine.stand_ins import GOOD, Behaviour, Bench, shop

GONE = PageReading(404, "https://shop.test/", {})
TWICE: dict[str, Any] = {"judge": {"confirm": ["gone", "changed"]}}


async def work_off(bench: Bench, products: int = 1) -> None:
    await Lane(0, bench.state(products), bench.stations).run()


async def test_a_request_needs_no_lease() -> None:
    """And the step behind it, a page, gets one."""
    bench = Bench({"p1": [VisitGoesOn("more is wanted", "so far", light=True), GOOD]})
    bench.strategy.without_page = {"p2"}
    await work_off(bench, 2)
    assert (len(bench.pool.fresh), bench.visits()) == (2, {"p1": 2, "p2": 1})
    assert [result.attempts for result in bench.shelf.waiting] == [1, 1]


async def test_where_a_visit_ended_is_in_the_result() -> None:
    """The catalogue's address stays beside it."""
    bench = Bench({"p1": [replace(GOOD, url="https://shop.test/p1/blue")]})
    await work_off(bench)
    [result] = bench.shelf.waiting
    assert (result.url, result.final_url) == ("https://shop.test/p1", "https://shop.test/p1/blue")


@pytest.mark.parametrize(
    ("visits", "verdict", "attempts"),
    [
        ([GONE, GONE], Verdict.GONE, 2),
        ([GOOD], Verdict.OK, 1),
        ([GONE, GOOD, GOOD], Verdict.OK, 3),
        ([GONE, GOOD, GONE], Verdict.FAILED, 3),
    ],
)
async def test_a_verdict_that_must_be_confirmed_needs_a_second_visit(
    visits: list[Behaviour], verdict: Verdict, attempts: int
) -> None:
    """In a context that nothing was visited in; visits that do not agree are told so."""
    bench = Bench({"p1": visits}, platform=shop(**TWICE))
    await work_off(bench)
    [result] = bench.shelf.waiting
    assert (result.verdict, result.attempts) == (verdict, attempts)
    assert bench.pool.fresh == [False, True, True][:attempts]


def test_confirming_compares_what_differs() -> None:
    """Two changes of a price to different amounts confirm nothing."""
    confirming = Confirming(["changed"])
    first, second = (Judgement(Verdict.CHANGED, "", (Difference("price", 1, found),)) for found in (2, 3))
    assert not confirming.believes(first)
    assert not confirming.believes(second)
    assert confirming.believes(second)
