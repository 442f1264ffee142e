"""Where a run that broke off goes on: behind what was noted of each platform, with nothing left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pagemill.intake.going_on import behind, place_after
from pagemill.model import Batch, Product

MIXED = ["a1", "b1", "a2", "a3", "b2", "a4"]
"""Products by id; the letter is the platform."""


def product(name: str) -> Product:
    return Product(name, f"https://{name[0]}.test/{name}", platform=name[0])


def batch(*names: str) -> Batch:
    return Batch("r", "b", names[0][0], tuple(map(product, names)))


def rest(place: str, names: list[str], run_of: str = "auto") -> list[str]:
    """What is behind that place in a source of these products."""

    def source() -> Iterator[Product]:
        yield from map(product, names)

    return [each.id for each in behind(source, place, run_of)]


def test_everything_is_behind_the_beginning() -> None:
    """Of one platform, and of several."""
    assert rest("", MIXED) == MIXED
    assert rest("", ["a1", "a2"], "a") == ["a1", "a2"]


def test_of_one_platform_the_place_is_its_last_product() -> None:
    """As it has been since 0.1, so that a run which an older version began goes on."""
    assert place_after("", [batch("a1", "a2"), batch("a3")], "a") == "a3"
    assert rest("a3", ["a1", "a2", "a3", "a4"], "a") == ["a4"]


def test_of_several_each_goes_on_behind_its_own_last_product() -> None:
    """A row that waits while another platform's batches go ahead of it is not left out."""
    place = place_after("", [batch("a1", "a2")], "auto")
    assert rest(place, MIXED) == ["b1", "a3", "b2", "a4"]
    place = place_after(place, [batch("b1", "b2"), batch("a3")], "auto")
    assert rest(place, MIXED) == ["a4"]


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["a1", "b1", "a3", "b2", "a4"], ["b1", "b2", "a1", "a3", "a4"]),
        (["b1", "a2", "a3", "b2"], ["b1", "a3", "b2"]),
        (["b1", "b2"], ["b1", "b2"]),
    ],
)
def test_a_last_product_that_is_gone_means_all_of_its_platform(names: list[str], left: list[str]) -> None:
    """Better twice than never; the other platforms are no part of it."""
    assert rest(place_after("", [batch("a1", "a2")], "auto"), names) == left


def test_ids_may_be_any_text() -> None:
    """Quotation marks, and what is not ASCII."""
    odd = Product('a"컵', "https://a.test/1", platform="a")
    place = place_after("", [Batch("r", "b", "a", (odd,))], "auto")
    assert [each.id for each in behind(lambda: [odd, product("a2")], place, "auto")] == ["a2"]
