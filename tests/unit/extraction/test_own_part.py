"""The part of a JSON document that is about one product."""

from __future__ import annotations

from typing import Any

import pytest

from pagemill.extraction.identity import Identity
from pagemill.extraction.own_part import own_part

MINE, OTHER = {"id": 101, "name": "mine"}, {"id": 102, "name": "other"}


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ([OTHER, MINE], [MINE]),
        ({"data": {"items": [OTHER, MINE, {"id": 103}], "total": 3}}, {"data": {"items": [MINE], "total": 3}}),
        ([{"id": 7}, MINE, {"id": 4350236}], [MINE]),
        ({"goods": [{"goodsNo": "102"}, {"goodsNo": "101"}]}, {"goods": [{"goodsNo": "101"}]}),
        ({"edges": [{"node": OTHER}, {"node": MINE}]}, {"edges": [{"node": MINE}]}),
        ({"byId": {"102": {"name": "other"}, "101": {"name": "mine"}}}, {"byId": {"101": {"name": "mine"}}}),
        ([OTHER, {"id": 101, "page": 1}, MINE], [{"id": 101, "page": 1}, MINE]),
    ],
)
def test_the_neighbours_of_the_product_are_left_out(document: Any, part: Any) -> None:
    """They stand before it as often as behind it."""
    assert own_part(document, Identity("101")) == part


@pytest.mark.parametrize(
    "document",
    [
        MINE,
        [OTHER],
        {"product": {"id": 101, "options": [{"id": 102}, {"id": 103}]}},
        {"product": {"id": 101}, "options": [{"id": 101}, {"id": 102}]},
        {"list": [{"id": 101, "name": "a"}, {"label": "no id"}]},
        {"products": [{"id": 101}], "images": [{"url": "/101.jpg"}, {"url": "/102.jpg"}]},
        {"byId": {"101": 5, "102": 6}},
        "101",
        None,
    ],
)
def test_everything_stays_where_there_are_no_neighbours(document: Any) -> None:
    """Options and pictures are no other products."""
    assert own_part(document, Identity("101")) == document


def test_nothing_is_left_out_where_nothing_is_known() -> None:
    """Without an id every product is as likely as another."""
    assert own_part([OTHER, MINE], Identity("")) == [OTHER, MINE]


def test_deep_documents_come_to_an_end() -> None:
    """Whatever nests deeper than anything of a shop is left as it is."""
    document: Any = [OTHER, MINE]
    for _ in range(500):
        document = {"a": document}
    assert own_part(document, Identity("101")) is document
