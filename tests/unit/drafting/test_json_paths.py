"""Paths into JSON, in the form that lasts."""

from __future__ import annotations

import pytest

from pagemill.drafting.json_paths import expressions
from pagemill.extraction.json_path import find_value
from pagemill.extraction.own_part import Path


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("offers", "price"), "offers.price"),
        (("queries", 1, "goods", "name"), "queries[].goods.name | [0]"),
        (("goods", "images", 0), "goods.images[0]"),
        (("byId", "4001", "name"), "byId.*.name | [0]"),
        (("response", "e3b2ozlionmx189my5", "price"), "response.*.price | [0]"),
        (("data", "list-price"), 'data."list-price"'),
    ],
)
def test_what_changes_from_page_to_page_is_left_open(path: Path, written: str) -> None:
    """Places in lists, the product's own id, and keys that a program has made up."""
    found = expressions(path, "4001")
    assert found[0] == written
    document: object = "here"
    for key in reversed(path):
        document = [None] * key + [document] if isinstance(key, int) else {key: document}
    for expression in found:
        said = find_value(document, expression)
        assert said is not None and said.value == "here"


def test_the_main_picture_of_several() -> None:
    """Where a list says what each picture is for, that says which one is meant."""
    assert expressions(("images", 1, "url"), main="type=='MAIN'") == ("images[?type=='MAIN'].url | [0]",)
