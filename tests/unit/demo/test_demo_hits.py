"""The counts stay small however long the shop runs."""

from __future__ import annotations

from pagemill.demo.hits import COUNTED_PREFIXES, HitCounter, HitReport


def test_counts_do_not_grow_with_requests() -> None:
    """Any number of paths is counted under the known prefixes, any number of products is forgotten in time."""
    counter = HitCounter(max_products=3)
    for number in range(100):
        counter.count(f"/made-up-{number}")
        counter.count(f"/hydrated/p/{number}")
        counter.count_visit(str(number), f"fault-{number}")
    report = counter.report("99")
    assert set(report.paths) <= {*COUNTED_PREFIXES, "other"}
    assert (report.total, report.products, report.visits, report.faults) == (200, 3, 1, {})


def test_product_seen_longest_ago_is_forgotten_first() -> None:
    """A visit makes a product young again."""
    counter = HitCounter(max_products=2)
    for product_id in ("a", "b", "a", "c"):
        counter.count_visit(product_id, "")
    assert [counter.report(product_id).visits for product_id in "abc"] == [2, 0, 1]


def test_prefix_is_a_whole_part_of_the_path() -> None:
    """`/imgs` is not `/img`."""
    counter = HitCounter()
    counter.count("/imgs/1")
    assert counter.report().paths == {"other": 1}


def test_report_survives_json() -> None:
    """What the shop sends is what the test reads."""
    report = HitReport(3, {"/img": 3}, {"hang": 1}, 2, 1)
    assert HitReport.from_json(report.to_json()) == report
