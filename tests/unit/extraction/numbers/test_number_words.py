"""Units of ten thousand multiply, and words may mean that nothing is to be paid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.extraction.numbers.number_text import read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4만원", 40000),
        ("4 만원", 40000),
        ("4만 5,800원", 45800),
        ("4만5,800원", 45800),
        ("4만 5800", 45800),
        ("4만5천8백원", 45800),
        ("2.5만", 25000),
        ("7천원", 7000),
        ("6백 원", 600),
        ("3천만원", 30_000_000),
        ("1천2백만원", 12_000_000),
        ("2억 3,000만원", 230_000_000),
        ("2억5천만원대", 250_000_000),
        ("1조 2억", 1_000_200_000_000),
        ("-4만원", -40000),
        ("4万円", 40000),
        ("4万5,800円(税込)", 45800),
        ("1,234万円", 12_340_000),
        ("1.234万", 12340),
        ("2.5萬元", 25000),
        ("1.8亿", 180_000_000),
        ("5千円", 5000),
        ("₹2.5 lakh", 250_000),
        ("1 Crore 20 Lakhs", 12_000_000),
        ("4만원 3만원", 40000),
        ("4만 3개", 40000),
        ("4만 20% 할인", 40000),
        ("4만 500 ml", 40000),
        ("2~4만원", 20000),
        ("1.5-2万円", 15000),
        ("8,000~2만원", 8000),
    ],
)
def test_a_unit_multiplies_and_takes_smaller_parts_along(text: str, number: int) -> None:
    """Units of ten thousand and their parts, as long as each part fits below the one before."""
    found = read_number(text)
    assert found == number
    assert isinstance(found, int)


@pytest.mark.parametrize(
    ("text", "number"), [("5千克", 5), ("4万能", 4), ("3천연 비누", 3), ("2백팩", 2), ("4만족", 4), ("2 lakhani", 2)]
)
def test_words_that_begin_like_a_unit_are_none(text: str, number: int) -> None:
    """Kilograms and backpacks are not thousands and hundreds."""
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text", ["Free", "FREE!", "free of charge", "무료", "無料", "免费", "Gratis", "kostenlos*", "gratuit", "ÜCRETSİZ"]
)
def test_a_text_that_means_free_is_zero(text: str) -> None:
    """The whole of it must say that nothing is to be paid."""
    assert read_number(text) == 0
    assert read_number(text, whole=True) is None


@pytest.mark.parametrize(
    "text", ["Sugar free", "Free shipping", "무료배송", "送料無料", "gluten-free", "Ücretsiz Kargo"]
)
def test_a_text_that_is_about_something_free_is_none(text: str) -> None:
    """Free delivery is not the price of the product."""
    assert read_number(text) is None


@given(ten_thousands=st.integers(1, 9999), rest=st.integers(100, 9999), space=st.sampled_from(["", " "]))
def test_ten_thousands_and_the_rest_add_up(ten_thousands: int, rest: int, space: str) -> None:
    """With or without a group sign and a space."""
    wanted = ten_thousands * 10_000 + rest
    assert read_number(f"{ten_thousands:,}만{space}{rest:,}원") == wanted
    assert read_number(f"{ten_thousands}万{space}{rest}円") == wanted
