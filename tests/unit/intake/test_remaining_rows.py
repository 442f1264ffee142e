"""What is left of a catalogue for a run that is gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pagemill.intake.remaining_rows import rest_of
from pagemill.model import Product


def products(numbers: Iterable[int]) -> list[Product]:
    return [Product(f"P{number}", f"https://shop.test/{number}") for number in numbers]


def rest(catalogue: Iterable[int], noted: Iterable[int], judged: Iterable[int]) -> list[str]:
    """Ids, as the catalogue has them by now."""
    known = {f"P{number}" for number in judged}

    def of_these(ids: Sequence[str]) -> set[str]:
        return known.intersection(ids)

    return [each.id for each in rest_of(products(catalogue), products(noted), of_these)]


def test_what_was_asked_for_is_left_out_wherever_it_stands_now() -> None:
    """The catalogue may have another order, new rows in front, and may lack where the run ended."""
    assert rest([9, 5, 1, 4, 7, 3], noted=[3, 4], judged=[1, 2]) == ["P9", "P5", "P7"]


def test_each_product_comes_once() -> None:
    """A catalogue that changes while it is read may tell one twice."""
    assert rest([1, 2, 1, 3], noted=[2], judged=[]) == ["P1", "P3"]


def test_many_come_in_their_order() -> None:
    """More than are asked for at once."""
    assert rest(range(1700), range(0, 1700, 2), range(1, 800, 2)) == [f"P{n}" for n in range(801, 1700, 2)]
