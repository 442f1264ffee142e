"""Signs in addresses and dialogs."""

from __future__ import annotations

import pytest

from pagemill.config.reading.judge import VerdictSigns
from pagemill.extraction.signs import dialog_sign, url_sign


@pytest.mark.parametrize(
    ("url", "asked", "final", "met"),
    [
        ("/today", "https://a.com/goods/1", "https://a.com/today", True),
        ("/TODAY", "https://a.com/goods/1", "https://a.com/today?x=1", True),
        ("/today", "https://a.com/today/1", "https://a.com/today", False),
        ("/today", "https://a.com/goods/1", "https://a.com/goods/1", False),
        ("/오늘", "https://a.com/goods/1", "https://a.com/%EC%98%A4%EB%8A%98", True),
        (r"re:/goods/\d+/end$", "https://a.com/goods/1", "https://a.com/goods/1/end", True),
        (r"re:/goods/\d+", "https://a.com/goods/1", "https://a.com/goods/2", False),
    ],
)
def test_an_address_is_a_sign_where_the_visit_was_led_to_it(url: str, asked: str, final: str, met: bool) -> None:
    """Not where the product's own address has the same in it."""
    assert (url_sign([url], asked, final) is not None) is met


@pytest.mark.parametrize(
    ("said", "met"),
    [
        (["판매 중인  상품이\n아닙니다."], True),
        (["Welcome", "… 판매 중인 상품이 아닙니다"], True),
        (["판매 중인 상품입니다"], False),
        ([], False),
    ],
)
def test_a_dialog_is_a_sign_by_its_text(said: list[str], met: bool) -> None:
    """However its white space runs, and whichever of several dialogs said it."""
    assert (dialog_sign(VerdictSigns(dialog=("판매 중인 상품이 아닙니다",)), said) is not None) is met


def test_a_text_does_not_run_from_one_dialog_into_the_next() -> None:
    """Two dialogs that each say half of it have not said it."""
    assert dialog_sign(VerdictSigns(dialog=("sold out",)), ["Not sold", "out of 5 stars"]) is None


@pytest.mark.parametrize("said", ["can't be found", "can\u2019t be found"])
def test_either_kind_of_quotation_mark_will_do(said: str) -> None:
    """A keyboard has the straight ones, a shop the curly ones."""
    for text in ("can't be", "can\u2019t be"):
        assert dialog_sign(VerdictSigns(dialog=(text,)), [said]) == text
