"""From a row of the catalogue to an address."""

from __future__ import annotations

import pytest

from pagemill.config.product import ProductAddress


@pytest.mark.parametrize(
    ("section", "row", "url", "visited"),
    [
        ({}, "9", "https://s.com/p/1?x#y", "https://s.com/p/1?x#y"),
        ({"id": r"/p/(?P<id>\d+)", "visit": "https://m.s.com/{id}"}, "9", "https://s.com/p/1?x", "https://m.s.com/1"),
        ({"id": r"/p/(\d+)", "visit": "https://m.s.com/{id}"}, "9", "https://s.com/p/1", "https://m.s.com/1"),
        ({"visit": "https://m.s.com/{id}"}, "a b", "https://s.com/p/1", "https://m.s.com/a%20b"),
        ({"visit": "{url}&lang=ko"}, "9", "https://s.com/p?no=1", "https://s.com/p?no=1&lang=ko"),
        (
            {"id": r"/(?P<shop>\w+)/p/(?P<id>\d+)", "visit": "https://s.com/m?p={id}&s={shop}"},
            "9",
            "https://s.com/a/p/1",
            "https://s.com/m?p=1&s=a",
        ),
        (
            {"id": r"goodsNo=(?P<id>[A-Z0-9]+)", "visit": "https://m.s.com/g?goodsNo={id}"},
            "9",
            "https://www.s.com/store/G.do?goodsNo=A0001",
            "https://m.s.com/g?goodsNo=A0001",
        ),
    ],
)
def test_an_address_is_made_from_the_row(section: dict[str, str], row: str, url: str, visited: str) -> None:
    """Desktop addresses become mobile ones; without `visit`, the row's own is taken as it stands."""
    address = ProductAddress.model_validate(section)
    names = address.names_of(row, url)
    assert names is not None
    assert address.address_of(names) == visited


@pytest.mark.parametrize("url", ["https://s.com/q/1", "https://s.com/p/", ""])
def test_a_row_whose_url_has_no_id_has_no_address(url: str) -> None:
    """It is told, and nothing is visited."""
    assert ProductAddress(id=r"/p/(?P<id>\d*)").names_of("9", url) is None


def test_a_group_that_takes_no_part_is_empty() -> None:
    """A name always means something."""
    names = ProductAddress(id=r"/p/(?P<id>\d+)(?:-(?P<color>\w+))?").names_of("9", "https://s.com/p/1")
    assert names is not None
    assert names["color"].text == ""
